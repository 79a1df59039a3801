"""Events in Junos' words."""

from __future__ import annotations

import pytest

from jsupervisor.cli.wording import ended, history_line, log_line, process_name
from jsupervisor.observer.events import EventRecord


def event(name: str = "rpd", what: str = "start", **changes: object) -> EventRecord:
    values: dict[str, object] = {
        "name": name,
        "event": what,
        "incarnation": 2,
        "cause": "",
        "monotonic_ns": 1,
        "time": "2026-11-23T10:00:00.000000Z",
        "downtime_ms": None,
        "attempt": 0,
        "next": "",
    }
    return EventRecord(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("record", "line"),
    [
        (event(), "init: routing (PID 1411) started"),
        (event(what="ready"), "init: routing (PID 1411) is ready"),
        (
            event(what="ready", downtime_ms=22.44),
            "init: routing (PID 1411) is ready again after 22.4 ms",
        ),
        (event(what="serving"), "init: routing (PID 1411) is serving"),
        (event("pfe0", "forwarding"), "init: pfe0 (PID 1411) is forwarding"),
        (
            event(what="exit", cause="signal:SIGSEGV", next="restart in 0 ms"),
            "init: routing (PID 1411) terminated by signal number 11 (SIGSEGV), restart in 0 ms",
        ),
        (
            event(what="hang", cause="hang"),
            "init: routing (PID 1411) does not respond (hang), killed",
        ),
        (
            event(what="restart", cause="requested:soft"),
            "init: routing (PID 1411) is restarted soft",
        ),
        (event(what="thrash"), "init: routing (PID 1411) is thrashing, not restarted"),
        (event(what="adopt"), "init: routing (PID 1411) adopted"),
        (event(what="fault", cause="kill"), "init: routing (PID 1411) takes the fault kill"),
        (
            event(what="failed", cause="x", next="hold"),
            "init: routing (PID 1411) failed x hold",
        ),
    ],
)
def test_an_event_is_a_line_of_inits_log(record: EventRecord, line: str) -> None:
    assert line == log_line(record, 1411)


def test_a_process_without_a_pid_has_its_name_alone() -> None:
    assert "init: launch-control started" == log_line(event("jlaunchd"))


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ("exit:0", "exited with status=0 Normal Exit"),
        ("exit:17", "exited with status=17"),
        ("signal:SIGKILL", "terminated by signal number 9 (SIGKILL)"),
        ("signal:35", "terminated by signal number 35"),
        ("requested:gracefully", "ended as requested (gracefully)"),
        ("hang", "exited (hang)"),
        ("", "exited"),
    ],
)
def test_an_end_is_told_in_junos_words(cause: str, words: str) -> None:
    assert words == ended(cause)


@pytest.mark.parametrize(
    ("module", "name"),
    [("rpd", "routing"), ("pfectl0", "pfe-control0"), ("pfe1", "pfe1"), ("other", "other")],
)
def test_the_number_of_a_module_stays_with_its_name(module: str, name: str) -> None:
    assert name == process_name(module)


def test_the_history_has_a_line_for_an_event() -> None:
    record = event(
        what="exit", cause="signal:SIGKILL", attempt=1, next="restart in 0 ms", downtime_ms=1.26
    )

    assert history_line(record) == (
        "2026-11-23T10:00:00.000000Z  rpd        exit     "
        "#2, signal:SIGKILL, down 1.3 ms, attempt 1, restart in 0 ms"
    )


def test_what_is_not_known_is_left_out() -> None:
    assert history_line(event()).endswith("start    #2")
