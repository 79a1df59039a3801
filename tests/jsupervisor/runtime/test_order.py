"""Orders and their JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jsupervisor.runtime.fakes import make_order
from jsupervisor.runtime.order import Order, OrderError

ORDER = make_order(
    Path("/run"),
    "pfe0",
    incarnation=4,
    entry="a.b:C",
    options={"fpc": 0},
    chassis={"fpcs": [1, 2]},
    ports={"ge-0/0/0": "udp:1"},
    shares=("pfectl0",),
    parts=(make_order(Path("/run"), "rpd"),),
)


def test_an_order_survives_its_json() -> None:
    assert ORDER == Order.from_json(json.loads(json.dumps(ORDER.to_json())))


def test_what_an_order_does_not_know_is_passed_over() -> None:
    assert ORDER == Order.from_json({**ORDER.to_json(), "launch": "fork"})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", 7),
        ("entry", None),
        ("incarnation", 0),
        ("incarnation", True),
        ("incarnation", "1"),
        ("options", []),
        ("ports", "x"),
        ("shares", "pfe0"),
        ("parts", [7]),
    ],
)
def test_an_order_that_cannot_be_read_names_the_field(field: str, value: object) -> None:
    with pytest.raises(OrderError, match=rf"cannot read an order: .*({field}|not an object)"):
        Order.from_json({**ORDER.to_json(), field: value})  # type: ignore[dict-item]


def test_an_order_that_is_no_object_is_refused() -> None:
    with pytest.raises(OrderError, match="not an object"):
        Order.from_json([1])
