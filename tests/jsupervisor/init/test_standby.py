"""The supervisor that waits: started when all is calm, called at most once, replaced when it dies."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import pytest

from jsupervisor.init.standby import RETRY_NS, WORD, Standby


class Rig:
    """A standby whose processes are pipes."""

    def __init__(self) -> None:
        self.started: list[Sequence[str]] = []
        self.stdin = -1
        self.fails = False
        self.standby = Standby(("python", "SETUP"), self.spawn)

    def spawn(self, argv: Sequence[str], stdin: int) -> int:
        """Notes the command line, and keeps the reading end."""
        if self.fails:
            raise OSError("no more processes")
        self.started.append(argv)
        self.close()
        self.stdin = os.dup(stdin)
        return 100 + len(self.started)

    def close(self) -> None:
        """The process is dead."""
        if self.stdin >= 0:
            os.close(self.stdin)
            self.stdin = -1


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.close()
    if rig.standby.pid:
        rig.standby.lost(rig.standby.pid, 0)


def test_it_is_started_when_it_is_wanted_and_once(rig: Rig) -> None:
    rig.standby.want(7)
    due = rig.standby.due_ns
    rig.standby.provide()
    rig.standby.want(8)

    assert 7 == due
    assert rig.standby.due_ns is None
    assert [["python", "SETUP", WORD]] == [list(argv) for argv in rig.started]


def test_it_is_told_which_incarnation_it_is_and_is_then_no_standby(rig: Rig) -> None:
    rig.standby.provide()

    assert 101 == rig.standby.promote(5)
    assert b"5\n" == os.read(rig.stdin, 32)
    assert (0, 0) == (rig.standby.pid, rig.standby.promote(6))


def test_without_one_there_is_nobody_to_promote(rig: Rig) -> None:
    assert 0 == rig.standby.promote(2)


def test_one_that_died_is_not_called_and_its_successor_comes_later(rig: Rig) -> None:
    rig.standby.provide()
    rig.close()

    assert 0 == rig.standby.promote(2)
    rig.standby.lost(101, 1000)
    assert (0, 1000 + RETRY_NS) == (rig.standby.pid, rig.standby.due_ns)


def test_the_death_of_somebody_else_changes_nothing(rig: Rig) -> None:
    rig.standby.provide()
    rig.standby.lost(99, 1000)

    assert (101, None) == (rig.standby.pid, rig.standby.due_ns)


def test_one_that_cannot_be_started_is_done_without(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    rig.fails = True
    rig.standby.provide()

    assert 0 == rig.standby.pid
    assert "cannot have a standby" in capsys.readouterr().err
