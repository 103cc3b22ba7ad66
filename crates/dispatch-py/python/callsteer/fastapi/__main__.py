"""`python -m callsteer.fastapi`: a control plane that stands alone."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import signal
import socket
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import uvicorn

from .app import create_app
from .control_plane import ControlPlane
from .guard import is_loopback
from .openapi import document
from .settings import TOKEN_VARIABLE, Settings, SettingsError


def main(command_line: list[str] | None = None) -> int:
    arguments = parser().parse_args(command_line)
    if arguments.openapi:
        print(json.dumps(document(), indent=2, ensure_ascii=False))
        return 0
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    # One line per probe is no news.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        settings = Settings.read(
            arguments.config,
            arguments.list,
            report_keys=arguments.report_keys,
            state=arguments.state,
            state_sync=arguments.state_sync,
            replicas=arguments.replicas,
            replica_id=arguments.replica_id,
            namespace=arguments.namespace,
        )
        plane = ControlPlane(settings)
        listener = listen(arguments.host, arguments.port, settings)
    except SettingsError as error:
        print(f"callsteer: {error}", file=sys.stderr)
        return 2
    with listener:
        config = uvicorn.Config(
            create_app(plane), access_log=False, log_level="warning", timeout_graceful_shutdown=5
        )
        server = Server(config)
        asyncio.run(server.serve(sockets=[listener]))
    return 0 if server.started else 1


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m callsteer.fastapi",
        description="Says over HTTP which bridge takes the next call: docs/control-plane.md.",
        epilog=f"The token that clients must show comes from the environment: {TOKEN_VARIABLE}.",
    )
    parser.add_argument("--list", type=Path, metavar="FILE", help="the bridges: a dispatcher.list")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="options of the dispatcher: a JSON object"
    )
    parser.add_argument(
        "--report-keys",
        type=Path,
        metavar="FILE",
        help="what bridges sign their reports with: lines of ID KEY",
    )
    parser.add_argument(
        "--state",
        type=Path,
        metavar="FILE",
        help="where calls and bridges survive a crash: a SQLite database",
    )
    parser.add_argument(
        "--state-sync",
        choices=["always", "second", "never"],
        default="second",
        help="when that must have reached the disk (default: every %(default)s)",
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port",
        type=port,
        default=8080,
        help="the port; 0 takes a free one (default: %(default)s)",
    )
    parser.add_argument(
        "--replicas",
        metavar="URL",
        help="several control planes over one fleet share what they know through this Redis: redis://, "
        "rediss:// or unix://; docs/scaling.md",
    )
    parser.add_argument(
        "--replica-id", metavar="NAME", help="the name of this one (default: the host's, and a number)"
    )
    parser.add_argument(
        "--namespace", default="callsteer", help="the fleet's name in that Redis (default: %(default)s)"
    )
    parser.add_argument(
        "--openapi", action="store_true", help="print the OpenAPI document, and serve nothing"
    )
    return parser


def port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"a port is 0 to 65535, not {text!r}")
    return int(text)


def listen(host: str, port: int, settings: Settings) -> socket.socket:
    """The socket, which tells whether the address is one that needs a token."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        if settings.token is None and not is_loopback(str(address[0])):
            raise SettingsError(
                f"{host} is no loopback address: set {TOKEN_VARIABLE}, which clients must then show"
            )
        return bound(socket.socket(family, kind, protocol), address)
    except OSError as error:
        raise SettingsError(f"cannot listen on {host}, port {port}: {error.strerror}") from error


def bound(listener: socket.socket, address: Any) -> socket.socket:
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener


class Server(uvicorn.Server):
    """Uvicorn, which says where it listens once it does, and ends with 0 when it is asked to end."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or []:
            host, port = listener.getsockname()[:2]
            host = f"[{host}]" if ":" in host else host
            print(f"listening on http://{host}:{port}", flush=True)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        loop = asyncio.get_running_loop()
        for asked in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(asked, self.handle_exit, asked, None)
        yield


if __name__ == "__main__":
    sys.exit(main())
