"""The screen's model: looks and events in, rows out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsupervisor.jlaunchd.groups import Group
from jsupervisor.observer.events import EventRecord
from jsupervisor.top.fakes import (
    BOOT,
    SECOND,
    counts,
    module,
    record,
    snapshot,
    status,
    use,
    uses,
)
from jsupervisor.top.model import KEPT_EVENTS, RATE_NS, Kind, Model, Rate, Row, matching

NOW = BOOT + 10 * SECOND


def row(model: Model, name: str, at: float = 10.0) -> Row:
    found = model.view(BOOT + int(at * SECOND)).find(name)
    assert found is not None
    return found


def looked(**changes: object) -> Model:
    model = Model()
    model.look(snapshot(**changes))  # type: ignore[arg-type]
    return model


# -- before anything is known ------------------------------------------------------------------


def test_before_the_first_look_there_are_no_rows() -> None:
    view = Model().view(NOW)

    assert () == view.rows
    assert (0, 0, False, False) == (
        view.header.up,
        view.header.modules,
        view.header.supervised,
        view.header.reached,
    )


def test_an_event_before_the_first_look_makes_no_row() -> None:
    model = Model()
    model.add(record("rpd", "start"))

    assert () == model.view(NOW).rows
    assert ["start"] == [each.event for each in model.events]


# -- rows --------------------------------------------------------------------------------------


def test_supervision_comes_first_then_the_modules_in_order() -> None:
    view = looked().view(NOW)

    assert ["init", "jlaunchd", "launcher", "rpd", "dcd"] == [each.name for each in view.rows]
    assert [Kind.KEEPER] * 3 + [Kind.MODULE] * 2 == [each.kind for each in view.rows]
    assert {"up"} == {each.state for each in view.rows}


def test_modules_stand_under_their_group_which_sums_them_up() -> None:
    modules = (module("rpd", 13, restarts=2), module("dcd", None, state="failed", restarts=1))
    model = looked(
        status=status(*modules),
        groups=(Group(name="routing", members=("rpd", "dcd"), strategy="rest_for_one"),),
    )
    group = row(model, "routing")

    assert ["routing", "rpd", "dcd"] == [each.name for each in model.view(NOW).rows[3:]]
    assert (Kind.GROUP, "1/2 up", 3, "rest_for_one") == (
        group.kind,
        group.state,
        group.restarts,
        group.cause,
    )
    assert [0, 1, 1] == [each.depth for each in model.view(NOW).rows[3:]]


def test_a_module_that_left_the_plan_has_no_row() -> None:
    model = looked()
    model.look(snapshot(11.0, status=status(module("rpd", 13))))

    assert model.view(NOW).find("dcd") is None


def test_a_row_has_what_init_proc_and_jlaunchd_say() -> None:
    beat = BOOT + 9 * SECOND
    model = looked(
        status=status(
            module(
                "rpd", 13, incarnation=3, restarts=2, last_cause="signal:SIGSEGV", policy="erlang"
            )
        ),
        uses=uses() | {"rpd": use(13, 1.0, BOOT + 2 * SECOND)},
        counts={"rpd": counts(downtime_seconds=0.5, downtimes=2, heartbeat_ns=beat)},
    )
    rpd = row(model, "rpd")

    assert (13, 3, 2, "signal:SIGSEGV", "erlang") == (
        rpd.pid, rpd.incarnation, rpd.restarts, rpd.cause, rpd.policy,
    )  # fmt: skip
    assert (8.0, 50 << 20, 0.5, 1.0) == (
        rpd.up_seconds, rpd.resident_bytes, rpd.down_total, rpd.beat_seconds,
    )  # fmt: skip


def test_nothing_is_said_of_what_a_dead_process_uses() -> None:
    model = looked(status=status(module("rpd", None, state="backoff")), uses=uses(rpd=None))
    rpd = row(model, "rpd")

    assert (None, None, None, None, None, None) == (
        rpd.up_seconds, rpd.cpu_percent, rpd.resident_bytes, rpd.rpc_rate, rpd.beat_seconds,
        rpd.down_seconds,
    )  # fmt: skip


def test_a_heartbeat_of_a_module_that_is_not_up_has_no_age() -> None:
    model = looked(
        status=status(module("rpd", 13, state="starting")),
        counts={"rpd": counts(heartbeat_ns=BOOT)},
    )

    assert row(model, "rpd").beat_seconds is None


# -- rates -------------------------------------------------------------------------------------


def test_the_first_rate_is_the_average_of_the_life() -> None:
    model = looked(uses=uses(cpu=2.5), counts={"rpd": counts(handled=40)})

    assert 25.0 == row(model, "rpd").cpu_percent
    assert 4.0 == row(model, "rpd").rpc_rate


def test_a_later_rate_is_that_of_the_time_between_two_looks() -> None:
    model = looked(uses=uses(cpu=2.5), counts={"rpd": counts(handled=40)})
    model.look(snapshot(12.0, uses=uses(cpu=3.5), counts={"rpd": counts(handled=50)}))

    assert 50.0 == row(model, "rpd").cpu_percent
    assert 5.0 == row(model, "rpd").rpc_rate


def test_looks_close_together_do_not_make_a_rate_jump() -> None:
    rate = Rate()
    rate.note(1, 10.0, 10 * SECOND, 0)
    rate.note(1, 20.0, 20 * SECOND, 0)

    assert 1.0 == rate.note(1, 25.0, 20 * SECOND + RATE_NS - 1, 0)
    assert 6.25 == rate.note(1, 25.0, 20 * SECOND + RATE_NS, 0)


def test_a_new_process_begins_at_nothing() -> None:
    rate = Rate()
    rate.note(1, 1000.0, 100 * SECOND, 0)
    rate.note(1, 2000.0, 110 * SECOND, 0)

    assert 0.0 == rate.note(2, 5.0, 111 * SECOND, 111 * SECOND)
    assert 5.0 == rate.note(2, 10.0, 113 * SECOND, 111 * SECOND)


def test_a_counter_that_went_back_is_no_negative_rate() -> None:
    rate = Rate()
    rate.note(1, 10.0, 10 * SECOND, 0)

    assert 0.0 == rate.note(1, 5.0, 12 * SECOND, 0)


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(0, 3 * SECOND)), max_size=20))
def test_rates_sum_up_to_what_was_counted(steps: list[tuple[float, int]]) -> None:
    rate, total, at, shown, since = Rate(), 0.0, SECOND, 0.0, 0
    rate.note("it", 0.0, at, 0)
    last = at
    for more, later in steps:
        total, at = total + more, at + later
        value = rate.note("it", total, at, 0)
        if at - last >= RATE_NS:
            shown, last = shown + value * (at - last) / 1e9, at
            since = 0
        else:
            since += 1

    assert since or shown == pytest.approx(total, abs=1e-6)


def test_calls_that_a_module_did_not_tell_are_unknown_not_zero() -> None:
    model = looked(counts={"rpd": counts(handled=40)})
    model.look(snapshot(12.0, counts={"rpd": replace(counts(), calls=None)}))

    assert row(model, "rpd").rpc_rate is None


# -- downtime ----------------------------------------------------------------------------------


def test_the_newest_gap_is_the_one_that_ready_tells() -> None:
    model = looked()
    for each in (
        record("rpd", "exit", 5.0, cause="signal:SIGKILL"),
        record("rpd", "start", 5.1, incarnation=2),
        record("rpd", "ready", 5.2, incarnation=2, downtime_ms=200.0),
    ):
        model.add(each)

    assert (0.2, False) == (row(model, "rpd").down_seconds, row(model, "rpd").still_down)


@pytest.mark.parametrize("state", ["backoff", "starting", "failed"])
def test_a_gap_that_goes_on_is_counted_until_now(state: str) -> None:
    model = looked(status=status(module("rpd", None, state=state)))
    model.add(record("rpd", "exit", 7.0, cause="exit:1"))

    assert (3.0, True) == (row(model, "rpd").down_seconds, row(model, "rpd").still_down)
    assert 4.0 == row(model, "rpd", 11.0).down_seconds


def test_what_was_stopped_on_purpose_is_not_missing() -> None:
    model = looked(status=status(module("rpd", None, state="down")))
    model.add(record("rpd", "exit", 7.0, cause="requested:gracefully"))

    assert (None, False) == (row(model, "rpd").down_seconds, row(model, "rpd").still_down)


def test_a_gap_of_jlaunchd_is_measured_from_its_events() -> None:
    model = looked()
    for each in (
        record("jlaunchd", "exit", 5.0, cause="signal:SIGKILL"),
        record("jlaunchd", "start", 5.1, incarnation=2),
        record("jlaunchd", "ready", 5.25, incarnation=2),
    ):
        model.add(each)

    assert (0.25, "signal:SIGKILL") == (
        row(model, "jlaunchd").down_seconds,
        row(model, "jlaunchd").cause,
    )


def test_gaps_of_an_earlier_boot_are_not_of_this_one() -> None:
    model = looked()
    model.add(record("rpd", "ready", -50.0, time="2026-11-23T09:00:00Z", downtime_ms=700.0))
    model.add(record("jlaunchd", "exit", -40.0, time="2026-11-23T09:00:10Z", cause="exit:0"))
    model.add(record("jlaunchd", "start", 0.1))
    model.add(record("jlaunchd", "ready", 0.2))

    assert row(model, "rpd").down_seconds is None
    assert (None, "") == (row(model, "jlaunchd").down_seconds, row(model, "jlaunchd").cause)


# -- who is away -------------------------------------------------------------------------------


def test_without_jlaunchd_everything_stays_and_says_so() -> None:
    model = looked(counts={"rpd": counts(handled=40, downtimes=1, downtime_seconds=0.5)})
    model.look(snapshot(12.0, counts=None, trouble="cannot see the metrics"))
    view = model.view(BOOT + 15 * SECOND)

    assert (False, True, 3.0, "cannot see the metrics") == (
        view.header.supervised,
        view.header.reached,
        view.header.away_seconds,
        view.header.trouble,
    )
    assert "away" == row(model, "jlaunchd").state
    assert ("up", 0.5, 4.0) == (
        row(model, "rpd").state,
        row(model, "rpd").down_total,
        row(model, "rpd").rpc_rate,
    )
    assert not row(model, "rpd").stale


def test_away_since_the_first_look_without_an_answer() -> None:
    model = looked()
    for at in (12.0, 13.0, 14.0):
        model.look(snapshot(at, counts=None))
    away = model.view(BOOT + 14 * SECOND).header.away_seconds
    model.look(snapshot(15.0))

    assert 2.0 == away
    assert 0.0 == model.view(BOOT + 16 * SECOND).header.away_seconds


def test_what_runs_stays_up_while_a_new_jlaunchd_has_not_looked_at_it() -> None:
    model = looked()
    newborn = status(module("rpd", 13, state="starting"), module("dcd", 15, state="starting"))
    model.look(snapshot(12.0, status=newborn, counts=None))

    assert ("up", "starting") == (row(model, "rpd").state, row(model, "dcd").state)
    model.look(snapshot(13.0, status=newborn))
    assert "starting" == row(model, "rpd").state


def test_without_init_the_last_picture_is_kept_as_stale() -> None:
    model = looked()
    before = row(model, "rpd")
    model.look(snapshot(12.0, status=None, uses={}, counts=None, trouble="cannot reach"))
    view = model.view(NOW)

    assert (False, "vmx", 2) == (view.header.reached, view.header.profile, view.header.modules)
    assert "away" == row(model, "init").state
    assert replace(before, stale=True) == row(model, "rpd")
    assert all(each.stale for each in view.rows)


def test_jlaunchd_that_does_not_run_is_away() -> None:
    model = looked(status=status(jlaunchd=None), counts=None)

    assert ("away", None) == (row(model, "jlaunchd").state, row(model, "jlaunchd").pid)


# -- the header --------------------------------------------------------------------------------


def test_the_header_sums_up() -> None:
    modules = (
        module("rpd", 13, restarts=2),
        module("dcd", 14, policy="erlang"),
        module("mgd", None, state="failed"),
    )
    model = looked(
        status=status(*modules, jlaunchd=11),
        uses=uses(cpu=1.0),
        counts={
            "rpd": counts(handled=20, failures=2, hangs=1, downtimes=2, downtime_seconds=0.5),
            "dcd": counts(14, handled=10, failures=1),
        },
        alarms=3,
    )
    header = model.view(NOW).header

    assert ("r1", "vmx", "modular", "junos (1 other)") == (
        header.instance, header.profile, header.architecture, header.policy,
    )  # fmt: skip
    assert (2, 3, 2, 3, 1, 0.5, 3) == (
        header.up, header.modules, header.restarts, header.failures, header.hangs,
        header.downtime_seconds, header.alarms,
    )  # fmt: skip
    assert (10.0, 10.0, 5 * (50 << 20), 3.0) == (
        header.up_seconds, header.cpu_percent, header.resident_bytes, header.rpc_rate,
    )  # fmt: skip


def test_one_process_of_many_modules_counts_once() -> None:
    modules = (module("rpd", 13), module("dcd", 13))
    shared = {"init": use(10), "rpd": use(13, 1.0), "dcd": use(13, 1.0)}
    header = looked(status=status(*modules), uses=shared).view(NOW).header

    assert (10.0, 2 * (50 << 20)) == (header.cpu_percent, header.resident_bytes)


def test_the_plan_names_the_policy_until_a_module_does() -> None:
    modules = (module("rpd", 13, policy=""),)

    assert "erlang" == looked(status=status(*modules), policy="erlang").view(NOW).header.policy


# -- events ------------------------------------------------------------------------------------


def test_an_event_told_twice_is_there_once() -> None:
    model = Model()

    assert [True, False] == [model.add(record("rpd", "exit")) for _ in range(2)]
    assert (1, 1) == (len(model.events), model.added)


def test_an_event_that_comes_late_stands_where_it_belongs() -> None:
    model = Model()
    for at in (1.0, 3.0, 2.0):
        model.add(record("rpd", "start", at))

    assert [1.0, 2.0, 3.0] == [(e.monotonic_ns - BOOT) / SECOND for e in model.events]
    assert 1 == model.shuffled


def test_old_events_are_dropped_and_still_known() -> None:
    model = Model()
    many = [
        record("rpd", "start", 1.0, incarnation=number, time=f"2026-11-23T10:{number:07}Z")
        for number in range(3 * KEPT_EVENTS)
    ]
    for each in many:
        model.add(each)

    assert KEPT_EVENTS <= len(model.events) <= 2 * KEPT_EVENTS
    assert many[-1] == model.events[-1]
    assert not model.add(many[-1])
    assert 3 * KEPT_EVENTS == model.added


EVENTS = [
    record("rpd", "exit", 1.0, cause="signal:SIGKILL", next="restart in 0 ms"),
    record("rpd", "ready", 2.0),
    record("dcd", "fault", 3.0, cause="kill"),
]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", [0, 1, 2]),
        ("rpd", [0, 1]),
        ("KILL", [0, 2]),
        ("rpd kill", [0]),
        ("!rpd", [2]),
        ("restart", [0]),
        ("!", []),
        ("nothing", []),
    ],
)
def test_events_are_found_by_words(words: str, found: list[int]) -> None:
    expected: list[EventRecord] = [EVENTS[number] for number in found]

    assert expected == matching(EVENTS, words)
