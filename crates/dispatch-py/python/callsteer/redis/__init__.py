"""Several dispatchers over one fleet, through Redis or Valkey; `pip install callsteer[redis]`.

    dispatcher = Dispatcher(dispatchers=4, replicas={"id": "host-1", "epoch": int(time.time() * 1000)})
    async with Replica(dispatcher, "redis://10.0.0.9:6379/0") as replica:
        placed = await replica.begin("a84b4c76e66710@pc33")
        await replica.confirm("a84b4c76e66710@pc33")  # also where another replica placed it
        await replica.end("a84b4c76e66710@pc33")

What goes over the wire stands in docs/wire-replica.md, what it costs in docs/scaling.md.
"""

from callsteer.redis.replica import Replica
from callsteer.replicas import Elsewhere, NoEngine

__all__ = ["Elsewhere", "NoEngine", "Replica"]
