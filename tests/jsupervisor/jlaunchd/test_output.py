"""What is written down about a module, and in what words."""

from __future__ import annotations

import signal

import pytest

from jsupervisor.jlaunchd import messages as m
from jsupervisor.jlaunchd.module import Module
from jsupervisor.jlaunchd.output import Output
from jsupervisor.jlaunchd.plan import Program


@pytest.fixture
def module() -> Module:
    """rpd, as pid 7."""
    return Module(Program(name="rpd", executable="rpd", entry="m:C"), pid=7)


@pytest.mark.parametrize(
    ("cause", "text"),
    [
        ("signal:SIGSEGV", "routing (PID 7) terminated by signal number 11."),
        ("signal:64", "routing (PID 7) terminated by signal number 64."),
        ("exit:0", "routing (PID 7) exited with status=0 Normal Exit"),
        ("exit:3", "routing (PID 7) exited with status=3"),
        ("exec:No such file", "routing: cannot execute: No such file"),
        ("unclaimed", "routing: nobody claimed incarnation 0"),
    ],
)
def test_an_exit_is_told_in_junos_words(module: Module, cause: str, text: str) -> None:
    out = Output()
    out.log_exit(module, cause)

    assert [m.LogLine("notice", "JLAUNCHD_EXITED", text)] == out.commands


def test_a_launch_begins_an_incarnation_afresh(module: Module) -> None:
    out = Output()
    out.begin(m.Instant(10.0, "now"))
    module.up_since, module.told_of_waiting, module.how = 1.0, True, "abort"
    out.launch(module)

    assert (1, 0, 0) == (module.incarnation, module.restarts, module.pid)
    assert ("gracefully", 40.0) == (module.how, module.deadline)
    record = module.record()
    assert (None, False) == (record["up_since"], module.told_of_waiting)
    assert [m.Launch("rpd", 1, module.record())] == out.commands
    out.launch(module)
    assert (2, 1) == (module.incarnation, module.restarts)


def test_a_turn_begins_with_nothing(module: Module) -> None:
    out = Output()
    out.signal(module, signal.SIGTERM, "requested:stop")
    out.begin(m.Instant(1.0, ""))

    assert [] == out.commands


def test_an_event_is_of_now_unless_it_says_when(module: Module) -> None:
    out = Output()
    out.begin(m.Instant(5.0, ""))
    out.emit(module, "start")
    out.emit(module, "ready", at=4.0)

    assert [5.0, 4.0] == [c.at for c in out.commands if isinstance(c, m.Emit)]
