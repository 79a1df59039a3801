"""The page of a post-mortem: the facts in words, and what was not found said as such."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jsupervisor.cli.render.postmortem import duration, listing, page, plain
from jsupervisor.runtime.cores import Core

HANG = Core(
    module="rpd",
    executable="rpd",
    incarnation=3,
    pid=4711,
    cause="hang",
    ended="signal:SIGABRT",
    ordered="hang",
    monotonic_ns=5_000_000_000,
    time="2023-11-14T22:13:20.000000Z",
    started="2023-11-14T22:13:16.000000Z",
    ready="2023-11-14T22:13:16.100000Z",
    lived_ms=4000.0,
    downtime_ms=61.5,
    recovered=True,
    attempt=1,
    next="restart in 0 ms",
    utime=0.25,
    stime=0.5,
    maxrss_kb=51200,
    trace="Fatal Python error: Aborted\n\nThread 7f:\n  File x",
    stderr=("one", "two"),
    events=(
        {"event": "hang", "cause": "hang", "next": "kill", "incarnation": 3,
         "monotonic_ns": 4_990_000_000},
        {"event": "ready", "incarnation": 4, "monotonic_ns": 5_061_500_000},
    ),
)  # fmt: skip
PAGE = """\
routing (rpd) incarnation 3, PID 4711
Cause      hang: it missed its heartbeats; terminated by signal number 6 (SIGABRT)
Ended      2023-11-14T22:13:20.000000Z, after 4.00 s
Started    2023-11-14T22:13:16.000000Z, ready 2023-11-14T22:13:16.100000Z
Then       failure 1: restart in 0 ms
Downtime   61.5 ms
Used       0.25 s user, 0.50 s system, 50.0 MiB of memory at most
File       /crash/rpd.core.2 (core 2)

Stacks
------
Fatal Python error: Aborted

Thread 7f:
  File x

Events
------
        -10.0 ms  #3   hang  hang  kill
        +61.5 ms  #4   ready

Log
---
nothing

Standard error
--------------
one
two
"""


def text(core: Core) -> str:
    """Its page."""
    return plain(page(core, 2, "/crash/rpd.core.2"))


def test_a_page_of_a_hang() -> None:
    assert PAGE == text(HANG)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"cause": "exit:1", "ended": "exit:1"}, "Cause      exited with status=1\n"),
        (
            {"cause": "signal:SIGSEGV", "ended": "signal:SIGSEGV", "ordered": "fault"},
            "Cause      terminated by signal number 11 (SIGSEGV), ordered as a fault\n",
        ),
        ({"cause": "start-timeout"}, "Cause      start-timeout: it was not ready in time; "),
        ({"recovered": False, "downtime_ms": 300.0}, "Downtime   300.0 ms and still down\n"),
        ({"downtime_ms": None}, "Downtime   unknown\n"),
        ({"utime": None}, "Used       unknown\n"),
        ({"next": "", "attempt": 0}, "Then       no decision is known\n"),
        ({"kernel_core": "/core.4711"}, "Image      /core.4711\n"),
        ({"trace": ""}, "none was written\n"),
        ({"trace": "", "ended": "signal:SIGKILL"}, "none: SIGKILL leaves no time for it\n"),
        ({"events": ()}, "none in the journal\n"),
        ({"pid": 0, "module": "jlaunchd"}, "launch-control (jlaunchd) incarnation 3\n"),
        ({"module": "redis"}, "redis incarnation 3, PID 4711\n"),
        ({"started": "", "lived_ms": None}, "Ended      2023-11-14T22:13:20.000000Z\nThen"),
    ],
)
def test_every_fact_has_its_words(changes: dict[str, object], line: str) -> None:
    assert line in text(replace(HANG, **changes))  # type: ignore[arg-type]


def test_a_module_does_not_command_the_terminal() -> None:
    assert "\ufffd[2J" in text(replace(HANG, stderr=("\x1b[2J",)))


def test_a_list_has_a_line_for_each() -> None:
    other = replace(HANG, module="pfe0", cause="exit:1", pid=0, next="")

    assert [
        "MODULE  CORE  TIME                         INC  PID   CAUSE   DOWN     THEN",
        "rpd     2     2023-11-14T22:13:20.000000Z  3    4711  hang    61.5 ms  restart in 0 ms",
        "pfe0    0     2023-11-14T22:13:20.000000Z  3    -     exit:1  61.5 ms  -",
    ] == listing([(2, HANG), (0, other)]).splitlines()


@pytest.mark.parametrize(
    ("ms", "words"),
    [(0.04, "0.0 ms"), (999.94, "999.9 ms"), (1000, "1.00 s"), (119_000, "119.00 s"),
     (120_000, "0:02:00"), (4_000_000, "1:06:40")],
)  # fmt: skip
def test_a_duration_has_the_unit_that_fits(ms: float, words: str) -> None:
    assert words == duration(ms)
