"""One dispatcher among several: signs of life, deltas, places, and calls that others placed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, cast

from typing_extensions import Self

import callsteer
from callsteer import CallsteerError, Destination, Dispatcher, Placed
from callsteer.replicas import Elsewhere, NoEngine

from .asks import EVERYBODY, Asks, Gone, Nobody, no_such_call
from .engine import LOST, Engine
from .places import Places, of

log = logging.getLogger("callsteer.redis")

INTERVAL = 0.2
"""Seconds between two deltas: what one replica does the others know so much later."""
FULL_EVERY = 5
"""Every so many deltas one has everything: what was lost on its way is known then."""
LONGEST_WAIT = 2.0
"""Seconds between two attempts to reach an engine that is lost, at most."""
SETTLING = 10.0
"""Seconds for which an engine that forgot its places gives none, unless all replicas have said what they hold."""


class Replica:
    """Shares what a dispatcher knows with the others, while its context lasts.

    The dispatcher has the option `replicas`. Everything runs on one event loop. While the engine is lost
    each goes on alone, by its share or on the places that it holds, and `metrics()` says so.

    Args:
        dispatcher: which.
        url: `redis://`, `rediss://` (TLS) or `unix://`, with user and password for an ACL.
        namespace: what all keys and channels begin with; one per fleet.
        interval: seconds between two deltas.
        on_news: is called when something came from another replica; must not be slow.
        on_told: is given what another replica told by `tell`.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        url: str,
        *,
        namespace: str = "callsteer",
        interval: float = INTERVAL,
        on_news: Callable[[], None] = lambda: None,
        on_told: Callable[[dict[str, Any]], None] = lambda _: None,
    ) -> None:
        config = cast("dict[str, Any]", dispatcher.config)
        if config["replicas"] is None:
            raise callsteer.InvalidConfig("replicas: must be there where anything is shared")
        self.id: str = config["replicas"]["id"]
        self.epoch: int = config["replicas"]["epoch"]
        self.is_strict: bool = config["replicas"]["limits"] == "leases"
        self.dispatcher = dispatcher
        self.is_connected = False
        self.counts: Counter[str] = Counter()
        self._lost_after = int(config["replicas"]["lost_after"] * 1000)
        self._stays = int((config["setup_timeout"] + config["max_duration"]) * 1000)
        """How long a call can last, in ms."""
        self._replicas: int = config["dispatchers"]
        self._retry_after: float = config["retry_after"]
        self._interval, self._on_news, self._on_told = interval, on_news, on_told
        self._field = f"{self.id}@{self.epoch}"
        self._engine = Engine(url, namespace)
        self._asks = Asks(self._engine, self.id, self.epoch)
        self._places = Places(dispatcher)
        self._opened: str | None = None
        """Since when the engine knows the places held here; None: it must be told."""
        self._alone_since: float | None = None
        self._placing: dict[str, asyncio.Future[Placed | Elsewhere]] = {}
        self._unclaimed: dict[str, str] = {}
        """Records of calls that were placed while the engine was lost."""
        self._taking: dict[str, asyncio.Future[None]] = {}
        """Calls that are just being taken over."""
        self._uncertain: dict[str, str] = {}
        """Records of calls that were taken over, perhaps: the engine was lost meanwhile."""
        self._caught_up: list[str] = []
        """What was missed, and is done by now: the engine need not say it again."""
        self._unfinished: set[str] = set()
        """Calls that ended here while nobody could be told: others may have taken them over."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._run(self._listen())
        self._run(self._beats())
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._engine.close()

    # Calls

    async def begin(self, call_id: str, **call: Any) -> Placed | Elsewhere:
        """Places a call, as `Dispatcher.begin`. Where places are leased it asks the engine for one, and
        moves on while there is none; else it waits for nobody. `Elsewhere` where another replica has it.

        Raises:
            Full, AllDown ...: as `Dispatcher.begin`.
        """
        if (placing := self._placing.get(call_id)) is not None:
            return await asyncio.shield(placing)
        is_known = self.dispatcher.call_of(call_id) is not None
        placed = self.dispatcher.begin(call_id, **call)
        if is_known:
            return placed
        if not self.is_strict:
            self._unclaimed[call_id] = self._record(placed, call)
            self._run(self._claim(call_id))
            return placed
        placing = self._placing[call_id] = asyncio.get_running_loop().create_future()
        try:
            answer = await self._lease(call_id, placed, call)
        except BaseException as error:
            self.dispatcher.end(placed.lease)
            placing.set_exception(error)
            placing.exception()
            raise
        finally:
            del self._placing[call_id]
        placing.set_result(answer)
        return answer

    async def show(self, call_id: str) -> Elsewhere:
        """Where a call is. Raises `NoSuchCall`, `NoEngine`."""
        return Elsewhere(**await self._do("show", call_id))

    async def confirm(self, call_id: str) -> None:
        """`Dispatcher.confirm_call`, whoever placed it. Raises `NoSuchCall`, `NoEngine`."""
        await self._do("confirm", call_id)

    async def fail(
        self, call_id: str, reply: int | str, *, retry_after: float | None = None
    ) -> tuple[str, Elsewhere | None]:
        """`Dispatcher.fail_call`, whoever placed it, and `next_call` where another bridge may do better.

        Returns:
            Whom it counts against, and where the call is now; None where it did not move.

        Raises:
            NoSuchCall, InvalidReply, NoEngine.
        """
        said = await self._do("fail", call_id, reply=reply, retry_after=retry_after)
        return said["blame"], said["moved_to"] and Elsewhere(**said["moved_to"])

    async def end(self, call_id: str) -> bool:
        """`Dispatcher.end_call`, whoever placed it. Raises `NoEngine`."""
        try:
            await self._do("end", call_id)
        except callsteer.NoSuchCall:
            return False
        return True

    def tell(self, said: dict[str, Any]) -> None:
        """Tells all others something that only one of them was told: a bridge's report, a list."""
        self._run(self._tell(said))

    # Looking

    def metrics(self) -> str:
        """How it is connected, in the text format of Prometheus."""
        heard = self.dispatcher.replicas()
        lost = sum(other.lost for other in heard)
        lines = [
            "# HELP callsteer_replica_engine_up Whether the engine is reached.",
            "# TYPE callsteer_replica_engine_up gauge",
            f"callsteer_replica_engine_up {int(self.is_connected)}",
            "# HELP callsteer_replicas Other replicas, by whether they are heard.",
            "# TYPE callsteer_replicas gauge",
            f'callsteer_replicas{{state="heard"}} {len(heard) - lost}',
            f'callsteer_replicas{{state="lost"}} {lost}',
        ]
        for name, meaning in COUNTS.items():
            metric = f"callsteer_replica_{name}_total"
            lines += [
                f"# HELP {metric} {meaning}",
                f"# TYPE {metric} counter",
                f"{metric} {self.counts[name]}",
            ]
        return "\n".join(lines) + "\n"

    # Private: signs of life and deltas

    async def _beats(self) -> None:
        number, failures = 0, 0
        while True:
            try:
                await self._beat(is_full=number % FULL_EVERY == 0)
                number, failures = number + 1, 0
            except LOST as error:
                self._lose(error)
                # The next one has everything: who knows what came through.
                number, failures = 0, failures + 1
            await asyncio.sleep(min(self._interval * 2 ** min(failures, 10), LONGEST_WAIT))

    async def _beat(self, *, is_full: bool) -> None:
        delta = self.dispatcher.delta(full=is_full)
        key = self._engine.key
        opened, missed = await self._engine.run(
            "beat",
            [key("opened"), key("seen"), key("alive", self.id), key("missed", self._field)],
            [self._field, self.epoch, self._lost_after, key("deltas"), delta, *self._caught_up],
        )
        self.counts["deltas_sent"] += 1
        if not self.is_connected:
            log.info("replica %s reaches the engine", self.id)
        self.is_connected, self._alone_since = True, None
        for call_id in list(self._uncertain):
            await self._make_certain(call_id)
        for done in missed:
            self._catch_up(*done.split(" ", 1))
        self._caught_up = missed
        for call_id in list(self._unclaimed):
            await self._claim(call_id)
        if self._unfinished:
            self._run(self._finish_elsewhere())
        if self.is_strict:
            await self._settle_places(opened)

    def _catch_up(self, done: str, call_id: str) -> None:
        """Others took a call over, or ended it, while we were not heard."""
        if self.dispatcher.call_of(call_id) is None:
            return
        if done == "ended":
            self._finish(call_id)
            return
        at = self._end(call_id)
        if at is not None and self.is_strict and at.max_calls > 0:
            # The place went with it.
            self._places.held[of(at)] -= 1

    async def _settle_places(self, opened: str) -> None:
        """Gives back what is held and not used; says all that is held to an engine that forgot it."""
        places, redis = self._places, self._engine.redis
        places.full.clear()
        if self._opened != opened:
            self._opened = None
            if not places.is_settled:
                # Who asks from now on goes alone, so that it soon is.
                return
            pipeline = redis.pipeline(transaction=True)
            for name, held in places.held.items():
                pipeline.hset(self._places_key(*name), self._field, held)
            pipeline.sadd(self._engine.key("told"), self.id)
            await pipeline.execute()
            self._opened = opened
        spares = places.spares()
        if not spares:
            return
        pipeline = redis.pipeline(transaction=True)
        for name, spare in spares.items():
            # Before it is said: a call that comes meanwhile must not stand on it.
            places.held[name] -= spare
            pipeline.hincrby(self._places_key(*name), self._field, -spare)
        await pipeline.execute()

    def _lose(self, error: Exception) -> None:
        self.counts["engine_errors"] += 1
        if self._alone_since is None:
            log.warning("replica %s goes on alone: %s", self.id, error or type(error).__name__)
            self._alone_since = asyncio.get_running_loop().time()
        self.is_connected, self._opened = False, None
        self._places.full.clear()

    async def _listen(self) -> None:
        while True:
            with contextlib.suppress(*LOST):
                async for channel, text in self._engine.hear("deltas", "told", EVERYBODY, f"to:{self.id}"):
                    self._hear(channel, text)
            await asyncio.sleep(self._interval)

    def _hear(self, channel: str, text: str) -> None:
        try:
            if channel == "deltas":
                if self.dispatcher.merge(text):
                    self.counts["deltas_heard"] += 1
                    self._on_news()
                return
            said: dict[str, Any] = json.loads(text)
            if "answer" in said:
                self._asks.hear(said)
            elif said["from"] != self.id and channel == "told":
                self._on_told(said)
            elif said["from"] != self.id:
                self._run(self._answer(said))
            elif channel == EVERYBODY:
                self._asks.hear_own(said["ask"])
        except (CallsteerError, ValueError, LookupError, TypeError) as error:
            log.warning("replica %s does not understand what is said: %s", self.id, error)

    # Private: places, and whose a call is

    async def _lease(self, call_id: str, placed: Placed, call: Mapping[str, Any]) -> Placed | Elsewhere:
        while True:
            outcome = await self._take(call_id, placed, call)
            if isinstance(outcome, Elsewhere):
                self.dispatcher.end(placed.lease)
                return outcome
            if outcome:
                return placed
            try:
                placed = self.dispatcher.next(placed.lease)
            except callsteer.Exhausted:
                full = callsteer.Full("every destination that is up is full")
                full.status, full.retry_after = 503, int(self._retry_after)
                raise full from None

    async def _take(
        self, call_id: str, placed: Placed, call: Mapping[str, Any], *, moves: bool = False
    ) -> bool | Elsewhere:
        """Whether a call may stay at its destination; or where else it is already."""
        to, key = placed.destination, self._engine.key
        with self._places.asking(to):
            if of(to) in self._places.full:
                return False
            if self._opened is not None:
                try:
                    outcome: list[str] = await self._engine.run(
                        "take",
                        [
                            *(key("call", call_id), self._places_key(*of(to))),
                            *(key("opened"), key("seen"), key("told")),
                        ],
                        [
                            *(self._record(placed, call), self._stays, self._field, to.max_calls),
                            *(int(SETTLING * 1000), 2 * self._stays, int(moves), self._replicas),
                        ],
                    )
                except LOST as error:
                    self._lose(error)
                else:
                    if outcome[0] == "known":
                        return elsewhere(json.loads(outcome[1]))
                    if outcome[0] == "taken":
                        self._places.held[of(to)] += to.max_calls > 0
                        return True
                    if outcome[0] == "full":
                        self.counts["places_refused"] += 1
                        self._places.full.add(of(to))
                        return False
            # Alone, or while the engine hears again what everybody holds: on a place that is held.
            self.counts["places_alone"] += 1
            stays = to.max_calls == 0 or (self._is_kept() and self._places.spare(to) > 0)
            if stays:
                self._unclaimed[call_id] = self._record(placed, call)
            return stays

    def _is_kept(self) -> bool:
        """Whether the engine still keeps the places that are held here."""
        since = self._alone_since
        return since is None or asyncio.get_running_loop().time() - since < self._stays / 1000

    async def _claim(self, call_id: str) -> None:
        """Says whose a call is; one that another replica has, or that ended, is not counted here."""
        record = self._unclaimed.get(call_id)
        if record is None:
            return
        with contextlib.suppress(*LOST):
            keys = [self._engine.key("call", call_id)]
            known: str | None = await self._engine.run("claim", keys, [record, self._stays])
            self._unclaimed.pop(call_id, None)
            if known is not None and json.loads(known)["replica"] != self.id:
                self.counts["calls_twice"] += 1
                self._end(call_id)
            elif self.dispatcher.call_of(call_id) is None:
                # It ended meanwhile.
                self._finish(call_id)

    def _record(self, placed: Placed, call: Mapping[str, Any]) -> str:
        to = placed.destination
        known = {"replica": self.id, "epoch": self.epoch, "lease": placed.lease}
        said = {"class" if name == "cls" else name: value for name, value in call.items()}
        return json.dumps(known | {"set": to.set, "id": to.id, "uri": to.uri, "call": said})

    # Private: calls of others

    async def _do(self, op: str, call_id: str, **more: Any) -> Any:
        """Does it here, or lets the replica do it that has the call."""
        what = {"op": op, "call_id": call_id} | {
            name: value for name, value in more.items() if value is not None
        }
        for _ in range(3):
            try:
                if await self._is_here(call_id):
                    return await self._act(what)
                self.counts["asked"] += 1
                found = await self._engine.record(call_id)
                if found is None:
                    return await self._ask_everybody(what)
                record, known = found
                if known["replica"] != self.id:
                    with contextlib.suppress(Gone):
                        return await self._asks.ask(
                            f"to:{known['replica']}", what | {"epoch": known["epoch"]}
                        )
                elif call_id in self._unfinished:
                    # It ended here: only its record is left.
                    raise no_such_call()
                await self._take_over(call_id, record, known)
            except Nobody:
                raise no_such_call() from None
            except LOST as error:
                raise NoEngine(f"the call {call_id!r} is not here, and the engine is lost") from error
        raise NoEngine(f"the call {call_id!r} goes from one replica to the other")

    async def _is_here(self, call_id: str) -> bool:
        """Whether a call is counted here, when all that is under way with it is done. Raises `LOST`."""
        for under_way in (self._placing.get(call_id), self._taking.get(call_id)):
            if under_way is not None:
                await asyncio.wait([under_way])
        await self._make_certain(call_id)
        return self.dispatcher.call_of(call_id) is not None

    async def _ask_everybody(self, what: dict[str, Any]) -> Any:
        try:
            return await self._asks.ask(EVERYBODY, what)
        except Nobody as nobody:
            deaf = [other for other in self.dispatcher.replicas() if other.id not in nobody.heard]
            if what["op"] == "end" and deaf:
                # One of them may have the call, and is told later.
                pipeline = self._engine.redis.pipeline(transaction=True)
                for other in deaf:
                    missed = self._engine.key("missed", f"{other.id}@{other.epoch}")
                    pipeline.rpush(missed, f"ended {what['call_id']}")
                    pipeline.pexpire(missed, self._stays)
                await pipeline.execute()
            raise

    def _finish(self, call_id: str) -> None:
        """The call is over: its place is free, if there is an engine to tell."""
        at = self._end(call_id)
        leased = at is not None and self.is_strict and at.max_calls > 0 and self._opened is not None
        if at is not None and leased:
            self._places.give_back(at)
        self._run(self._release(call_id, at, leased=leased))

    def _end(self, call_id: str) -> Destination | None:
        """Counts a call no more that is counted here; where it was."""
        lease = self.dispatcher.call_of(call_id)
        at = self.dispatcher.destination_of(lease) if lease else None
        self.dispatcher.end_call(call_id)
        self._unclaimed.pop(call_id, None)
        return at

    async def _release(self, call_id: str, at: Destination | None, *, leased: bool) -> None:
        key = self._engine.key
        keys = [key("call", call_id), self._places_key(*of(at)) if at else key("places")]
        try:
            if not await self._engine.run("release", keys, [self._field, int(leased)]):
                self._unfinished.add(call_id)
        except LOST as error:
            self._unfinished.add(call_id)
            if leased:
                # What is held is said anew, then.
                self._lose(error)
        finally:
            if leased:
                self._places.given_back()

    async def _act(self, what: dict[str, Any]) -> Any:
        """Does it here, where the call is."""
        dispatcher, call_id = self.dispatcher, what["call_id"]
        match what["op"]:
            case "show":
                lease = dispatcher.call_of(call_id)
                return self._shown(lease, dispatcher.destination_of(lease) if lease else None)
            case "confirm":
                dispatcher.confirm_call(call_id)
                return None
            case "end":
                self._finish(call_id)
                return None
            case "fail":
                blame = dispatcher.fail_call(call_id, what["reply"], retry_after=what.get("retry_after"))
                moved = None if blame == "caller" else await self._move(call_id)
                return {"blame": blame, "moved_to": moved and self._shown(moved.lease, moved.destination)}
            case other:
                raise ValueError(f"nobody knows how to {other!r}")

    async def _move(self, call_id: str) -> Placed | None:
        """Another bridge for a call; None where there is none."""
        try:
            placed = self.dispatcher.next_call(call_id)
            try:
                found = await self._engine.record(call_id)
            except LOST:
                found = None
            call: dict[str, Any] = found[1]["call"] if found else {}
            if self.is_strict:
                while await self._take(call_id, placed, call, moves=True) is False:
                    placed = self.dispatcher.next(placed.lease)
            elif found:
                self._run(self._claim_again(call_id, self._record(placed, call)))
        except callsteer.Exhausted:
            return None
        return placed

    async def _claim_again(self, call_id: str, record: str) -> None:
        with contextlib.suppress(*LOST):
            await self._engine.redis.set(self._engine.key("call", call_id), record, keepttl=True, xx=True)

    def _shown(self, lease: int | None, to: Destination | None) -> dict[str, Any]:
        if lease is None or to is None:
            raise no_such_call()
        return {"replica": self.id, "lease": lease, "set": to.set, "id": to.id, "uri": to.uri}

    async def _tell(self, said: dict[str, Any]) -> None:
        with contextlib.suppress(*LOST):
            await self._engine.publish("told", {"from": self.id} | said)

    async def _finish_elsewhere(self) -> None:
        for call_id in list(self._unfinished):
            keys = [self._engine.key("call", call_id), self._engine.key("places")]
            with contextlib.suppress(*LOST, NoEngine):
                # One that came again has the record. The place of the first one was found to be spare.
                is_over = self.dispatcher.call_of(call_id) is None
                if is_over and not await self._engine.run("release", keys, [self._field, 0]):
                    await self.end(call_id)
                self._unfinished.discard(call_id)

    async def _answer(self, ask: dict[str, Any]) -> None:
        """Does what another replica asks for, where the call is here."""
        self.counts["answered"] += 1
        answer: dict[str, Any] = {"answer": ask["ask"], "from": self.id}
        try:
            is_here = await self._is_here(ask["call_id"])
        except LOST:
            # Who asks waits in vain, and is asked again.
            return
        if is_here:
            try:
                answer["ok"] = await self._act(ask)
            except CallsteerError as error:
                answer["refused"] = {"code": error.code, "detail": str(error)}
        else:
            # A process before this one had it.
            answer["gone" if ask.get("epoch", self.epoch) != self.epoch else "no"] = True
        with contextlib.suppress(*LOST):
            await self._engine.publish(f"to:{ask['from']}", answer)

    async def _take_over(self, call_id: str, record: str, known: dict[str, Any]) -> None:
        """Makes a call ours whose replica is gone."""
        if (taking := self._taking.get(call_id)) is not None:
            await asyncio.wait([taking])
            return
        destination = self.dispatcher.find(known["id"], set=known["set"])
        if destination is None:
            raise no_such_call()
        leased = self.is_strict and destination.max_calls > 0
        after = json.dumps(known | {"replica": self.id, "epoch": self.epoch})
        before = f"{known['replica']}@{known['epoch']}"
        keys = [self._engine.key("call", call_id), self._places_key(known["set"], known["id"])]
        keys.append(self._engine.key("missed", before))
        said = [record, after, before, self._field, int(leased), call_id, self._stays]
        taking = self._taking[call_id] = asyncio.get_running_loop().create_future()
        try:
            if await self._engine.run("take_over", keys, said):
                self._adopt(call_id, known)
        except (*LOST, asyncio.CancelledError) as error:
            self._uncertain[call_id] = after
            if leased and not isinstance(error, asyncio.CancelledError):
                # What is held is said anew, once it is certain.
                self._lose(error)
            raise
        finally:
            del self._taking[call_id]
            taking.set_result(None)

    async def _make_certain(self, call_id: str) -> None:
        """Finds out whether a call that was taken over, perhaps, is ours. Raises `LOST`."""
        after = self._uncertain.get(call_id)
        if after is None:
            return
        is_ours = await self._engine.redis.get(self._engine.key("call", call_id)) == after
        # Two may have asked: the first one that knows adopts it, and it may have ended since.
        if self._uncertain.pop(call_id, None) is not None and is_ours:
            self._adopt(call_id, json.loads(after))

    def _adopt(self, call_id: str, known: dict[str, Any]) -> None:
        """Counts a call here that was taken over, and its place with it."""
        destination = self.dispatcher.find(known["id"], set=known["set"])
        if destination is not None and self.dispatcher.call_of(call_id) is None:
            self.counts["taken_over"] += 1
            self._places.held[of(destination)] += self.is_strict and destination.max_calls > 0
            call = {"cls" if name == "class" else name: said for name, said in known["call"].items()}
            self.dispatcher.take_over(destination, call_id, **call)
            self._on_news()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _places_key(self, in_set: int, id: str) -> str:
        return self._engine.key("places", in_set, id)


def elsewhere(record: Mapping[str, Any]) -> Elsewhere:
    return Elsewhere(**{name: record[name] for name in ("replica", "lease", "set", "id", "uri")})


COUNTS = {
    "engine_errors": "Times that the engine was not reached.",
    "deltas_sent": "Deltas sent.",
    "deltas_heard": "Deltas of others that had news.",
    "places_refused": "Places that the engine did not have.",
    "places_alone": "Places asked for while the engine gave none: on those held already, or refused.",
    "calls_twice": "Calls that two replicas placed at the same time, of which one counts.",
    "asked": "Requests for calls of another replica.",
    "answered": "Requests that came from another replica.",
    "taken_over": "Calls of replicas that are gone.",
}
