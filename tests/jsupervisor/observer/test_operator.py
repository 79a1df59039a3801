"""The client of init's socket, against a stand-in for init."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jsupervisor.initproto import Connection, Message
from jsupervisor.observer.operator import Operator, OperatorError, Watcher
from jsupervisor.paths import Instance
from jsupervisor.runtime.authority import Authority
from jsupervisor.runtime.identity import seal

Answer = Callable[[Message], list[Message]]


class Init:
    """Answers each message of each connection as it is told; closes on an empty list."""

    def __init__(self, instance: Instance) -> None:
        self.answer: Answer = lambda _: []
        self.kept = b""
        """Goes along with every answer `done`."""
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(instance.init_socket))
        self._listener.listen()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            connection = Connection(sock)
            while (received := connection.receive()) is not None:
                answers = self.answer(received[0])
                for answer in answers:
                    self._send(connection, answer)
                if not answers:
                    break
            connection.close()

    def _send(self, connection: Connection, answer: Message) -> None:
        if not self.kept or answer["op"] != "done":
            connection.send(answer)
            return
        fd = seal("kept", self.kept)
        connection.send(answer, [fd])
        os.close(fd)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    return Instance("default", tmp_path / "home", tmp_path)


@pytest.fixture
def init(instance: Instance) -> Iterator[Init]:
    init = Init(instance)
    yield init
    init.close()


def event(name: str, what: str) -> Message:
    return {"op": "event", "record": {"name": name, "event": what, "incarnation": 1}}


def test_an_instance_that_does_not_run_is_named(instance: Instance) -> None:
    with pytest.raises(OperatorError, match="cannot reach instance default: it is not running"):
        Operator(instance)


def test_a_delivered_fault_says_to_whom_and_when(instance: Instance, init: Init) -> None:
    init.answer = lambda _: [{"op": "done", "pid": 7, "monotonic_ns": 99}]
    with Operator(instance) as operator:
        delivery = operator.inject("rpd", "kill")

    assert (7, 99) == (delivery.pid, delivery.monotonic_ns)


def test_a_refusal_is_passed_on(instance: Instance, init: Init) -> None:
    init.answer = lambda _: [{"op": "refused", "why": "rpd is not running"}]
    with (
        Operator(instance) as operator,
        pytest.raises(OperatorError, match="cannot inject kill into rpd: rpd is not running"),
    ):
        operator.inject("rpd", "kill")


def test_an_init_that_goes_away_is_an_error(instance: Instance, init: Init) -> None:
    with Operator(instance) as operator, pytest.raises(OperatorError, match="does not answer"):
        operator.status()


def test_an_answer_without_a_status_is_an_error(instance: Instance, init: Init) -> None:
    init.answer = lambda _: [{"op": "status"}]
    with (
        Operator(instance) as operator,
        pytest.raises(OperatorError, match="cannot read the status"),
    ):
        operator.status()


def test_events_are_kept_in_order_and_can_be_awaited(instance: Instance, init: Init) -> None:
    init.answer = lambda _: [{"op": "watching"}, event("rpd", "exit"), event("rpd", "ready")]
    with Watcher(instance) as watcher:
        found = watcher.wait_for(0, "rpd", "ready", timeout=5.0)
        mark = watcher.mark()

        assert "ready" == found.event
        assert ["exit", "ready"] == [record.event for record in watcher.history.since(0)]
        assert 2 == mark


def test_waiting_ends_with_the_deadline(instance: Instance, init: Init) -> None:
    init.answer = lambda _: [{"op": "watching"}]
    with (
        Watcher(instance) as watcher,
        pytest.raises(TimeoutError, match=r"cannot see ready of rpd: none within 0\.01 s"),
    ):
        watcher.wait_for(0, "rpd", "ready", timeout=0.01)


def test_waiting_ends_with_init(instance: Instance, init: Init) -> None:
    answers = iter([[{"op": "watching"}]])
    init.answer = lambda _: next(answers, [])  # type: ignore[arg-type]
    with Watcher(instance) as watcher:
        watcher._connection.send({"op": "anything"})
        with pytest.raises(TimeoutError, match="init closed the connection"):
            watcher.wait_for(0, None, "ready", timeout=5.0)

        assert watcher.ended


def test_phases_are_stamps_and_reports_of_one_process_in_their_order(
    instance: Instance, init: Init
) -> None:
    process: Message = {"name": "rpd", "phases": {"told": 3, "noticed": 1}, "reached": {"ready": 2}}
    init.answer = lambda _: [{"op": "status", "status": {"processes": [process]}}]
    with Operator(instance) as operator:
        phases = operator.phases("rpd")
        unknown = operator.phases("dcd")

    assert list(phases.items()) == [("noticed", 1), ("ready", 2), ("told", 3)]
    assert unknown == {}


def test_the_owner_is_given_the_operators_identity(instance: Instance, init: Init) -> None:
    identity = Authority.make("default").sign("operator")
    init.kept = identity.to_bytes()
    init.answer = lambda _: [{"op": "done"}]
    with Operator(instance) as operator:
        assert identity == operator.identity()


def test_an_instance_that_has_just_begun_is_waited_for(instance: Instance, init: Init) -> None:
    init.kept = Authority.make("default").sign("operator").to_bytes()
    early: list[Message] = [{"op": "missing", "why": "not yet"}] * 2
    init.answer = lambda _: [early.pop() if early else {"op": "done"}]
    with Operator(instance) as operator:
        assert "operator" == operator.identity().name


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"op": "refused", "why": "pid 7 belongs to the instance"}, "pid 7 belongs"),
        ({"op": "missing", "why": "nobody has been given one yet"}, "nobody has been given"),
    ],
)
def test_who_gets_no_identity_is_told_why(
    instance: Instance, init: Init, answer: Message, why: str
) -> None:
    init.answer = lambda _: [answer]
    with (
        Operator(instance, timeout=0.05) as operator,
        pytest.raises(OperatorError, match=f"cannot command instance default: {why}"),
    ):
        operator.identity()


def test_an_identity_of_somebody_else_is_refused(instance: Instance, init: Init) -> None:
    init.kept = Authority.make("default").sign("rpd").to_bytes()
    init.answer = lambda _: [{"op": "done"}]
    with Operator(instance) as operator, pytest.raises(OperatorError, match="is that of rpd"):
        operator.identity()
