"""The file of a control plane's state: a snapshot of its dispatcher and a journal since then, in SQLite."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

Sync: TypeAlias = Literal["always", "second", "never"]
"""When what was written must have reached the disk: before every answer, every second, when it likes.

All three survive the death of the process; the machine's, `always` survives without a loss."""


class StateError(Exception):
    """A state that cannot be used; says what is wrong with it and how to go on."""


@dataclass(frozen=True)
class Operation:
    """Something that was done to a dispatcher."""

    at: float
    """By the clock of the control plane."""
    name: str
    arguments: list[Any]
    """Those by position, and those by name."""


@dataclass(frozen=True)
class Saved:
    """What there is to go on from."""

    snapshot: bytes
    at: float
    """What the clock showed when the snapshot was made."""
    version: str
    config: str
    bridges: bytes


class Store:
    """The file, which one process has at a time. Raises `StateError`."""

    def __init__(self, path: Path, sync: Sync = "second") -> None:
        self.path = path
        self._sync: Sync = sync
        try:
            self._open()
        except sqlite3.Error as error:
            raise self._wrong(error) from error

    def _open(self) -> None:
        # Without a transaction of its own making: each statement is one.
        self._file = sqlite3.connect(self.path, isolation_level=None, timeout=0)
        run = self._file.execute
        run("PRAGMA locking_mode = EXCLUSIVE")
        run("PRAGMA journal_mode = WAL")
        run(f"PRAGMA synchronous = {SYNCHRONOUS[self._sync]}")
        run("BEGIN IMMEDIATE")
        kind = run("PRAGMA application_id").fetchone()[0]
        is_new = run("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
        if is_new:
            run(f"PRAGMA application_id = {KIND}")
            run(f"PRAGMA user_version = {VERSION}")
            for table in TABLES:
                run(table)
        run("COMMIT")
        if not is_new and kind != KIND:
            raise StateError(f"{self.path} is a database of something else: name another file")
        version = run("PRAGMA user_version").fetchone()[0]
        if version != VERSION:
            raise StateError(
                f"{self.path} has version {version} of the format, and {VERSION} is read here: "
                "start once with the release that wrote it, and end it in order, or move the file away"
            )
        if (found := run("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(found)
        self._next: int = run("SELECT coalesce(max(number), 0) + 1 FROM operation").fetchone()[0]
        self.length: int = run("SELECT count(*) FROM operation").fetchone()[0]

    def load(self) -> Saved | None:
        """The snapshot; none in a new file."""
        try:
            row = self._file.execute(
                "SELECT data, at, version, config, bridges, next FROM snapshot"
            ).fetchone()
        except sqlite3.Error as error:
            raise self._wrong(error) from error
        if row is None:
            if self.length:
                raise self._wrong("there is a journal, and no snapshot that it follows")
            return None
        self._first = row[5]
        return Saved(*row[:5])

    def operations(self) -> Iterator[Operation]:
        """What was done since the snapshot, the first first."""
        try:
            rows = self._file.execute("SELECT number, at, name, arguments FROM operation ORDER BY number")
            for expected, (number, at, name, arguments) in enumerate(rows, self._first):
                if number != expected:
                    raise self._wrong(f"operation {expected} is missing")
                yield Operation(at, name, json.loads(arguments))
        except (sqlite3.Error, ValueError, TypeError) as error:
            raise self._wrong(error) from error

    def append(self, at: float, name: str, arguments: list[Any]) -> None:
        """Writes down what is about to be done. Where it raises, nothing must be done."""
        text = json.dumps(arguments, separators=(",", ":"))
        try:
            self._file.execute("INSERT INTO operation VALUES (?, ?, ?, ?)", (self._next, at, name, text))
        except sqlite3.Error as error:
            raise StateError(f"{self.path} cannot be written: {error}") from error
        self._next += 1
        self.length += 1

    def replace(self, saved: Saved) -> None:
        """A snapshot that covers everything before it, which goes."""
        row = (saved.snapshot, saved.at, saved.version, saved.config, saved.bridges, self._next)
        try:
            with self._file:
                self._file.execute("BEGIN IMMEDIATE")
                self._file.execute("INSERT OR REPLACE INTO snapshot VALUES (1, ?, ?, ?, ?, ?, ?)", row)
                self._file.execute("DELETE FROM operation")
        except sqlite3.Error as error:
            raise StateError(f"{self.path} cannot be written: {error}") from error
        self.length = 0

    def sync(self) -> None:
        """Takes what was written to the disk, where that is done every second."""
        if self._sync == "second":
            # Where that fails, whoever writes next is told.
            with contextlib.suppress(sqlite3.Error):
                self._file.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        self._file.close()

    def _wrong(self, error: object) -> StateError:
        if "locked" in str(error):
            return StateError(f"{self.path} is in use by another process")
        if isinstance(error, sqlite3.OperationalError):
            return StateError(f"{self.path}: {error}")
        return StateError(f"{self.path} is damaged: {error}. {GO_ON}")


GO_ON = (
    "Move it away and start without it: then no call in progress is known, and retransmissions are "
    "placed anew, until the bridges are reconciled"
)
KIND = 0x63616C6C
"""`call`, in the header of the file."""
VERSION = 1
SYNCHRONOUS: dict[Sync, str] = {"always": "FULL", "second": "NORMAL", "never": "OFF"}
TABLES = [
    """
    CREATE TABLE snapshot (
        one INTEGER PRIMARY KEY CHECK (one = 1), data BLOB NOT NULL, at REAL NOT NULL, version TEXT NOT NULL,
        config TEXT NOT NULL, bridges BLOB NOT NULL, next INTEGER NOT NULL
    )
    """,
    """
    CREATE TABLE operation (
        number INTEGER PRIMARY KEY, at REAL NOT NULL, name TEXT NOT NULL, arguments TEXT NOT NULL
    )
    """,
]
