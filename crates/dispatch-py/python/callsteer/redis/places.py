"""Places that this replica holds by leases of the engine: the arithmetic of `limits = "leases"`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

from callsteer import Destination, Dispatcher

Name = tuple[int, str]


class Places:
    """How many places are held per destination, and which of them calls stand on.

    A place is held from the moment the engine gives it. It is given back some time after its call ended:
    what is held and not used is found by counting, so that no way of ending a call can forget one.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self.held: Counter[Name] = Counter()
        self._asked: Counter[Name] = Counter()
        self._returning = 0
        self.full: set[Name] = set()
        """Where the engine had none since the last sign of life: it is not asked for every call."""

    @contextmanager
    def asking(self, destination: Destination) -> Generator[None]:
        """While the engine is asked for the place of a call that the dispatcher counts already."""
        name = of(destination)
        self._asked[name] += 1
        try:
            yield
        finally:
            self._asked[name] -= 1

    def give_back(self, destination: Destination) -> None:
        """The engine is being told that a place is free: it is not held, nor found to be spare."""
        self.held[of(destination)] -= 1
        self._returning += 1

    def given_back(self) -> None:
        """The engine was told, or could not be."""
        self._returning -= 1

    @property
    def is_settled(self) -> bool:
        """Whether it is known what the engine made of all that it was asked and told."""
        return self._returning == 0 and not any(self._asked.values())

    def spare(self, destination: Destination) -> int:
        """Places that are held, and that no call stands on but those that ask."""
        name = of(destination)
        status = self._dispatcher.status(destination)
        calls = status.calls if status else 0
        return self.held[name] - (calls - self._asked[name])

    def spares(self) -> dict[Name, int]:
        """All that can be given back. More calls than places there are where a limit was set later."""
        spares: dict[Name, int] = {}
        for name in [name for name, held in self.held.items() if held]:
            destination = self._dispatcher.find(name[1], set=name[0])
            spare = self.spare(destination) if destination else self.held[name]
            if spare > 0:
                spares[name] = spare
        return spares


def of(destination: Destination) -> Name:
    assert destination.set is not None  # One that was chosen is in a set.
    return destination.set, destination.id
