"""An abort gives a module of ours time for its own stack, and nobody else."""

from __future__ import annotations

import signal

import pytest

from jsupervisor import linux
from jsupervisor.init.aborts import OWN_STACK, OWN_STACK_NS, Aborts


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The signals sent, by pid."""
    found: list[tuple[int, int]] = []
    monkeypatch.setattr(linux, "signal_main_thread", lambda *signal: found.append(signal))
    return found


def test_a_module_writes_its_stack_and_is_aborted_a_moment_later(
    sent: list[tuple[int, int]],
) -> None:
    aborts = Aborts()
    aborts.begin(7, 100, ours=True)
    due = aborts.run(100 + OWN_STACK_NS - 1)
    before = list(sent)

    assert [100 + OWN_STACK_NS] == due
    assert [] == aborts.run(100 + OWN_STACK_NS)
    assert [(7, OWN_STACK)] == before
    assert [(7, OWN_STACK), (7, signal.SIGABRT)] == sent


def test_a_program_that_is_not_ours_is_aborted_at_once(sent: list[tuple[int, int]]) -> None:
    aborts = Aborts()
    aborts.begin(7, 100, ours=False)

    assert [] == aborts.run(10**18)
    assert [(7, signal.SIGABRT)] == sent


def test_who_is_gone_by_then_is_sent_nothing(sent: list[tuple[int, int]]) -> None:
    aborts = Aborts()
    aborts.begin(7, 100, ours=True)
    aborts.reaped(7)
    aborts.reaped(8)

    assert [] == aborts.run(10**18)
    assert [(7, OWN_STACK)] == sent
