"""What the library gives, as it goes over HTTP."""

from __future__ import annotations

import dataclasses
from typing import Any

import callsteer

from .schemas import Bridge, Capacity, Destination, Explanation, Row


def destination(of: callsteer.Destination) -> Destination:
    return Destination.model_validate(of)


def bridge(of: callsteer.Destination, status: callsteer.Status) -> Bridge:
    described = {
        name: getattr(of, name)
        for name in ("id", "uri", "weight", "max_calls", "max_rate", "priority", "attrs")
    }
    observed = {"trying": status.failed_probes} if status.observed == "trying" else status.observed
    return Bridge.model_validate(described | fields(status) | {"observed": observed})


def capacity(of: callsteer.Capacity | None) -> Capacity:
    """Where no bridge says what it can carry there is nothing to add up."""
    if of is None:
        return Capacity(utilisation=None, load=0, capacity=0, members=0, slots=0, busiest=None, desired=None)
    return Capacity.model_validate(fields(of))


def explanation(of: callsteer.Explanation) -> Explanation:
    return Explanation(
        destination=destination(of.destination) if of.destination else None,
        code=of.error.code if of.error else None,
        rows=[row(of_bridge) for of_bridge in of.rows],
    )


def row(of: callsteer.Row) -> Row:
    return Row.model_validate(fields(of) | fields(of.estimate) | {"destination": destination(of.destination)})


def fields(record: Any) -> dict[str, Any]:
    """The fields of a record of the library, by name."""
    return {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
