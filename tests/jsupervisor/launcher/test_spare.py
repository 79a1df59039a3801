"""A newborn that waits, against an init that answers as it likes."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from jsupervisor.initproto import Connection, Message
from jsupervisor.launcher.spare import announce, is_spare, wait


class Ends:
    """Both ends of a connection to init."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.init, self.newborn = Connection(ours), Connection(theirs)
        self.order: Message = {"name": "rpd", "incarnation": 7, "spare": True, "phases": {"old": 1}}

    def heard(self) -> Message:
        received = self.init.receive()
        assert received is not None
        return received[0]


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ends]:
    monkeypatch.setattr("jsupervisor.linux.set_process_name", lambda name: None)
    made = Ends()
    yield made
    made.init.close()
    made.newborn.close()


def test_only_an_order_that_says_so_is_for_a_spare() -> None:
    assert is_spare({"spare": True})
    assert not is_spare({"spare": "yes"})
    assert not is_spare({})


def test_a_spare_says_whose_it_is(ends: Ends) -> None:
    ends.init.send({"op": "welcome"})

    assert announce(ends.order, ends.newborn)
    assert {"op": "announce", "name": "rpd", "incarnation": 7} == ends.heard()


@pytest.mark.parametrize("answer", [{"op": "refused", "why": "no"}, None])
def test_a_spare_that_nobody_wants_goes(ends: Ends, answer: Message | None) -> None:
    if answer is None:
        ends.init.close()
    else:
        ends.init.send(answer)

    assert not announce(ends.order, ends.newborn)


def test_a_spare_that_is_called_claims_with_the_stamps_of_its_call(ends: Ends) -> None:
    ends.init.send({"op": "become", "phases": {"reserved": 3}})
    claimed = []

    def claim(order: Message, connection: Connection) -> bool:
        claimed.append(order)
        return True

    called = wait(ends.order, ends.newborn, claim)

    assert called
    assert {"op": "waiting"} == ends.heard()
    assert isinstance(stamps := claimed[0]["phases"], dict)
    assert ["reserved", "woken"] == list(stamps)


def test_a_spare_ends_with_init(ends: Ends) -> None:
    ends.init.close()

    assert not wait(ends.order, ends.newborn, lambda order, connection: True)
