"""What a control plane is started with."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from .report_keys import MIN_KEY
from .report_keys import parse as parse_keys
from .store import Sync

TOKEN_VARIABLE = "CALLSTEER_TOKEN"


class SettingsError(Exception):
    """What a control plane cannot start with; says what and where."""


@dataclass(frozen=True)
class Settings:
    """What a control plane is started with; everything has the library's default."""

    config: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Options of `callsteer.Dispatcher`, by name."""

    bridges: bytes = b""
    """A dispatcher.list."""

    token: str | None = field(default=None, repr=False)
    """What a client must show to change anything; None: only a loopback address may be used."""

    report_keys: Mapping[str, bytes] = field(default_factory=dict[str, bytes], repr=False)
    """By the id of a bridge: the key that it signs its reports with, 32 bytes or more."""

    state: Path | None = None
    """The file in which calls and bridges survive the process; None: they do not."""

    state_sync: Sync = "second"
    """When what is written there must have reached the disk: "always" (before every answer), "second", "never"."""

    replicas: str | None = None
    """The URL of the Redis through which several control planes over one fleet share what they know."""

    replica_id: str | None = None
    """The name of this one among them; None: the host's, and a random part."""

    namespace: str = "callsteer"
    """What all keys and channels there begin with: one per fleet."""

    config_name: str = "config"
    bridges_name: str = "bridges"
    """What messages call the two: the files that they come from."""

    def __post_init__(self) -> None:
        """Raises `SettingsError` for a token that no header can carry, for a key that can be guessed, and for what
        does not go together.
        """
        if self.state is not None and self.replicas is not None:
            raise SettingsError(
                "--state and --replicas do not go together: what a replica leaves, the others go on with"
            )
        if self.token is not None and not TOKEN.fullmatch(self.token):
            raise SettingsError(
                f"{TOKEN_VARIABLE} is empty, or has a space, a line end or a letter that is not ASCII"
            )

        for bridge_id, key in self.report_keys.items():
            if len(key) < MIN_KEY:
                raise SettingsError(f"the report key of {bridge_id!r} has fewer than {MIN_KEY} bytes")

    @classmethod
    def read(
        cls,
        config: Path | None,
        bridges: Path | None,
        environment: Mapping[str, str] = os.environ,
        *,
        report_keys: Path | None = None,
        state: Path | None = None,
        state_sync: Sync = "second",
        replicas: str | None = None,
        replica_id: str | None = None,
        namespace: str = "callsteer",
    ) -> Settings:
        """Reads the files, and the token from the environment. Raises `SettingsError`."""
        return cls(
            config=parse_config(config) if config else {},
            bridges=read(bridges) if bridges else b"",
            token=environment.get(TOKEN_VARIABLE),
            report_keys=parse_report_keys(report_keys) if report_keys else {},
            state=state,
            state_sync=state_sync,
            config_name=str(config),
            bridges_name=str(bridges),
            replicas=replicas,
            replica_id=replica_id,
            namespace=namespace,
        )


def parse_config(path: Path) -> dict[str, Any]:
    """A configuration: a JSON object of the dispatcher's options, durations in seconds."""
    try:
        config: Any = json.loads(read(path), object_pairs_hook=no_repetition)
    except json.JSONDecodeError as error:
        raise SettingsError(f"{path}: line {error.lineno}, column {error.colno}: {error.msg}") from error
    except ValueError as error:
        raise SettingsError(f"{path}: {error}") from error
    if not isinstance(config, dict):
        raise SettingsError(f"{path}: a configuration is an object of options, {{...}}")
    return cast("dict[str, Any]", config)


def parse_report_keys(path: Path) -> dict[str, bytes]:
    """Keys of bridges: lines of an id and a key."""
    try:
        return parse_keys(read(path))
    except ValueError as error:
        raise SettingsError(f"{path}: {error}") from error


def no_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    options = dict(pairs)
    if len(options) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice} stands there twice")
    return options


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error


TOKEN = re.compile(r"[!-~]+")
"""Visible ASCII: not the line end of the file that it was read from."""
