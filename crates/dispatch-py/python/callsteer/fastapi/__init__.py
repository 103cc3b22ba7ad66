"""A control plane over HTTP: `python -m callsteer.fastapi`, or router and lifespan for an application of your own.

    plane = ControlPlane(Settings(bridges=Path("dispatcher.list").read_bytes(), token=os.environ["CALLSTEER_TOKEN"]))
    app = FastAPI(lifespan=plane.lifespan)
    app.include_router(router, prefix="/callsteer")

The contract is `docs/control-plane.md` and `examples/openapi.json`. One process has one control plane: run uvicorn with
one worker.
"""

from .app import create_app
from .control_plane import ControlPlane
from .routes import router
from .settings import Settings, SettingsError

__all__ = ["ControlPlane", "Settings", "SettingsError", "create_app", "router"]
