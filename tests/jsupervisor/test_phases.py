"""Stamps travel with an order as JSON does, and are added to wherever it comes."""

from __future__ import annotations

from jsupervisor.initproto import Message, decode, encode
from jsupervisor.phases import KEY, stamp, stamps_of


def test_an_order_without_stamps_gets_its_first_one() -> None:
    order: Message = {"name": "rpd"}
    stamp(order, "told")

    assert list(stamps_of(order)) == ["told"]


def test_stamps_of_earlier_handlers_stay() -> None:
    sent: Message = {"name": "rpd", KEY: {"decided": 5}}
    received = decode(encode(sent))
    stamp(received, "reserved")

    assert stamps_of(received)["decided"] == 5
    assert list(stamps_of(received)) == ["decided", "reserved"]


def test_what_is_no_table_of_stamps_is_replaced_by_one() -> None:
    order: Message = {KEY: "nonsense"}

    assert stamps_of(order) == {}
    assert order == {KEY: {}}
