"""The page of one module."""

from __future__ import annotations

from jsupervisor.top.details import SHOWN_EVENTS, SHOWN_METHODS, page
from jsupervisor.top.fakes import BOOT, SECOND, counts, module, record, snapshot, status
from jsupervisor.top.model import Model
from jsupervisor.top.samples import Calls

NOW = BOOT + 10 * SECOND


def text(model: Model, name: str) -> str:
    sections = page(model, name, NOW)
    return "\n".join(line for each in sections for line in (f"== {each.heading}", *each.lines))


def test_it_tells_everything_that_is_known() -> None:
    model = Model()
    rpd = module(
        "rpd", 13, incarnation=2, restarts=1, last_cause="signal:SIGSEGV", failures=1,
        group="routing", waits_for=("dcd", "mgd"), socket="/run/rpd/plain.sock",
    )  # fmt: skip
    found = counts(
        handled=500, exits={"signal:SIGSEGV": 1, "hang": 2}, failures=3, hangs=2, thrashes=1,
        downtimes=2, downtime_seconds=0.5, ready_seconds=0.0625, heartbeats=40,
        heartbeats_missed=3, heartbeat_seconds=0.002,
    )  # fmt: skip
    model.look(snapshot(status=status(rpd), counts={"rpd": found}))
    model.add(record("rpd", "exit", 3.0, cause="signal:SIGSEGV", next="restart in 0 ms"))
    model.add(record("rpd", "ready", 3.5, incarnation=2, downtime_ms=500.0))
    model.add(record("dcd", "ready", 3.6))

    assert text(model, "rpd").splitlines() == [
        "== ",
        "rpd: up",
        "executable  rpd",
        "process     PID 13, incarnation 2",
        "policy      junos, failures that count: 1",
        "group       routing",
        "waits for   dcd, mgd",
        "up          10s",
        "restarts    1, last cause signal:SIGSEGV",
        "downtime    last 500ms",
        "processor   0.0%, 0.00 s in all",
        "memory      50M, 0 threads, 0 descriptors",
        "socket      /run/rpd/plain.sock",
        "== Counted since the instance started",
        "exits       hang 2, signal:SIGSEGV 1",
        "failures    3; hangs 2; given up 1",
        "downtime    500ms in all; gaps 2, 250ms on average",
        "start       62ms to readiness",
        "heartbeats  40, 3 missed, the newest took 2.0ms",
        "== Calls served",
        f"{'METHOD':<44} {'CODE':<18} {'CALLS':>9} {'MEAN':>7}",
        f"{'Routes/Load':<44} {'OK':<18} {'500':>9} {'1.0ms':>7}",
        "== History",
        "10:00:03.500  ready     #2, down 500.0 ms",
        "10:00:03.000  exit      #1, signal:SIGSEGV, restart in 0 ms",
    ]


def test_little_is_said_when_little_is_known() -> None:
    model = Model()
    model.look(snapshot(status=status(module("rpd", None)), counts=None))

    assert text(model, "rpd").splitlines()[-2:] == ["== History", "nothing yet"]
    assert "Counted" not in text(model, "rpd")
    assert "memory" not in text(model, "rpd")


def test_supervision_has_a_page_too() -> None:
    model = Model()
    model.look(snapshot())

    assert "init: up" in text(model, "init")
    assert "launcher: up" in text(model, "launcher")


def test_a_stale_page_says_so_and_a_gone_one_too() -> None:
    model = Model()
    model.look(snapshot())
    model.look(snapshot(11.0, status=None, counts=None))

    assert "rpd: up when it was last seen" in text(model, "rpd")
    assert "== \nbgpd: it is gone" == text(model, "bgpd")


def test_a_gap_that_goes_on_says_so() -> None:
    model = Model()
    model.look(snapshot(status=status(module("rpd", None, state="backoff"))))
    model.add(record("rpd", "exit", 7.0))

    assert "downtime    last 3.00s, not ready yet" in text(model, "rpd")


def test_long_lists_are_cut_to_the_busiest_and_newest() -> None:
    model = Model()
    calls = tuple(Calls(f"/a.B/C{number}", "OK", number, 0.0) for number in range(50))
    model.look(snapshot(counts={"rpd": counts(calls=calls)}))
    for number in range(SHOWN_EVENTS + 5):
        model.add(record("rpd", "start", number / 10, incarnation=number))
    shown = text(model, "rpd").splitlines()

    assert SHOWN_METHODS == sum(line.startswith("B/C") for line in shown)
    assert shown[-1].startswith("10:00:00.500")
