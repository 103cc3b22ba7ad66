"""A collector for prometheus_client."""

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from callsteer import Destination, Dispatcher
from callsteer.prometheus import Collector


def samples(text: str) -> set[tuple[str, frozenset[tuple[str, str]], float]]:
    """Names, labels and values."""
    families = text_string_to_metric_families(text)
    found = (sample for family in families for sample in family.samples)
    return {(sample.name, frozenset(sample.labels.items()), sample.value) for sample in found}


def test_the_collector_says_what_the_dispatcher_says() -> None:
    dispatcher = Dispatcher(clock=lambda: 1.0)
    dispatcher.add(Destination("sip:a", id='a "quoted" \\ name\n', max_calls=2))
    dispatcher.begin("1")
    registry = CollectorRegistry()
    registry.register(Collector(dispatcher))
    text = generate_latest(registry).decode()
    assert samples(text) == samples(dispatcher.metrics())
    assert 'callsteer_decisions_total{outcome="placed"} 1.0' in text
    assert registry.get_sample_value("callsteer_calls") == 1
    help = "# HELP callsteer_destination_calls Calls in progress there."
    assert help in text
    assert help in dispatcher.metrics()
    dispatcher.end_call("1")
    assert registry.get_sample_value("callsteer_calls") == 0
