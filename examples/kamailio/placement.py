"""What kemi.py asks of a placement: ControlPlane and ByHash have these methods."""

from typing import Protocol


class Refused(Exception):
    """No bridge takes the call; what to answer its caller."""

    def __init__(self, status: int, reason: str, retry_after: int | None = None) -> None:
        super().__init__(f"{status} {reason}")
        self.status, self.reason, self.retry_after = status, reason, retry_after


class Placement(Protocol):
    """Where calls go. Any worker process may ask about any call."""

    def place(self, call_id: str) -> str:
        """The URI of the bridge for a new call; raises Refused."""

    def confirmed(self, call_id: str) -> None:
        """The bridge answered 200."""

    def failed(self, call_id: str, reply: "int | str", retry_after: int | None) -> str | None:
        """The URI of the next bridge to try, or None: the caller gets the reply."""

    def ended(self, call_id: str) -> None:
        """The call is over, however it ended; said again it does no harm."""
