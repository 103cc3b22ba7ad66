"""The metrics of a dispatcher for `prometheus_client`.

    from prometheus_client import REGISTRY, start_http_server
    from callsteer.prometheus import Collector

    REGISTRY.register(Collector(dispatcher))
    start_http_server(9100)

It needs `callsteer[prometheus]`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector as BaseCollector

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client import Metric

    from callsteer import Dispatcher


class Collector(BaseCollector):
    """What `Dispatcher.metrics` says, among the other metrics of a process.

    Names and help texts are the library's own, the same in every language.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    def collect(self) -> Iterable[Metric]:
        """All metrics as they are now."""
        return text_string_to_metric_families(self._dispatcher.metrics())
