"""A control plane over HTTP: `python -m callsteer.fastapi`, or a part of your own application.

    plane = ControlPlane(Settings.read(config=None, bridges=Path("dispatcher.list")))
    app = FastAPI(lifespan=plane.lifespan)
    app.include_router(router, prefix="/callsteer")

The contract is `docs/control-plane.md`, and `examples/openapi.json`.
A process has one control plane: run one worker.
"""

from .app import create_app
from .control_plane import ControlPlane
from .routes import router
from .settings import Settings, SettingsError

__all__ = ["ControlPlane", "Settings", "SettingsError", "create_app", "router"]
