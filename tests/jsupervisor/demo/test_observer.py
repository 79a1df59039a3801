"""Who was restarted and whose sessions were dropped, from two views."""

from __future__ import annotations

from dataclasses import replace

from jsupervisor.demo.observer import View, restarted, sessions_dropped, settled
from jsupervisor.observer.processes import ProcessId
from jsupervisor.testing.sessions import Session

FIB = Session("pfectl0", "rpd", "fib", True, True, 0, 1, 1, 0)
BEFORE = View(
    {"rpd": ProcessId(10, 1), "dcd": ProcessId(11, 1), "jlaunchd": ProcessId(9, 1)}, (FIB,)
)


def test_the_victims_own_successor_is_no_disturbance() -> None:
    after = View({**BEFORE.processes, "rpd": ProcessId(12, 5)}, BEFORE.sessions)

    assert [] == restarted(BEFORE, after, {"rpd"})
    assert ["rpd"] == restarted(BEFORE, after, {"dcd"})


def test_the_same_pid_with_another_start_time_is_another_process() -> None:
    after = View({**BEFORE.processes, "dcd": ProcessId(11, 7)}, BEFORE.sessions)

    assert ["dcd"] == restarted(BEFORE, after, {"rpd"})


def test_a_process_that_is_missing_was_disturbed() -> None:
    after = View({"rpd": ProcessId(10, 1), "dcd": ProcessId(11, 1)}, BEFORE.sessions)

    assert ["jlaunchd"] == restarted(BEFORE, after, {"rpd"})


def test_modules_of_one_process_share_its_fate() -> None:
    before = View(dict.fromkeys(("rpd", "dcd", "mgd"), ProcessId(10, 1)), ())
    after = View(dict.fromkeys(("rpd", "dcd", "mgd"), ProcessId(12, 5)), ())

    assert ["dcd", "mgd"] == restarted(before, after, {"rpd"})


def test_a_dropped_session_is_named() -> None:
    after = View(BEFORE.processes, (replace(FIB, dropped=1),))

    assert ["pfectl0<-rpd fib"] == sessions_dropped(BEFORE, after, {"dcd"})
    assert [] == sessions_dropped(BEFORE, after, {"rpd"})


def test_a_view_is_settled_when_every_session_has_heard_all() -> None:
    assert settled(BEFORE)
    assert not settled(replace(BEFORE, sessions=(replace(FIB, synced=False),)))
    assert not settled(replace(BEFORE, sessions=(replace(FIB, connected=False),)))
