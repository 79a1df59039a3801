"""The law of names: one process each, granted once, to the incarnation that was reserved."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsupervisor.init.table import (
    CLAIM_TIMEOUT_NS,
    FAULT,
    Phase,
    Process,
    Refused,
    Standing,
    Table,
    describe,
    describe_before,
)

PID = 4711
PHASES = ["unknown", *Phase]


def table_in(phase: Phase | str) -> Table:
    """A table in which incarnation 2 of rpd is in this phase."""
    table = Table()
    if phase == "unknown":
        return table
    table.reserve("rpd", 2, "full", {"shares": ["fabric"]}, 0)
    if phase is not Phase.RESERVED:
        table.claim("rpd", 2, PID, 17)
    if phase is Phase.GONE:
        table.exited(PID)
    return table


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("incarnation", [1, 2, 3])
def test_only_a_higher_incarnation_of_a_name_without_a_process_is_reserved(
    phase: Phase | str, incarnation: int
) -> None:
    table = table_in(phase)

    if phase == "unknown" or (phase is Phase.GONE and incarnation == 3):
        process = table.reserve("rpd", incarnation, "lean", {}, 5)
        assert (Phase.RESERVED, incarnation, 0) == (process.phase, process.incarnation, process.pid)
        assert 5 + CLAIM_TIMEOUT_NS == process.claim_deadline_ns
    else:
        before = describe(table.processes["rpd"])
        with pytest.raises(Refused, match=r"^rpd incarnation . is "):
            table.reserve("rpd", incarnation, "lean", {}, 5)
        assert before == describe(table.processes["rpd"])


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("incarnation", [1, 2, 3])
def test_a_claim_is_granted_once_and_to_the_reserved_incarnation_alone(
    phase: Phase | str, incarnation: int
) -> None:
    table = table_in(phase)

    if phase is Phase.RESERVED and incarnation == 2:
        process = table.claim("rpd", 2, 99, 18)
        assert (Phase.RUNNING, 99, 18) == (process.phase, process.pid, process.start_time)
        assert [] == table.expire(10**18)
    else:
        with pytest.raises(Refused, match=r"^rpd incarnation"):
            table.claim("rpd", incarnation, 99, 18)


def test_who_is_somebody_already_becomes_nobody_else() -> None:
    table = table_in(Phase.RUNNING)
    table.reserve("mgd", 1, "full", {}, 0)

    with pytest.raises(Refused, match="pid 4711 is rpd already"):
        table.claim("mgd", 1, PID, 17)
    assert Phase.RESERVED is table.processes["mgd"].phase
    table.exited(PID)
    assert PID == table.claim("mgd", 1, PID, 18).pid


@pytest.mark.parametrize("phase", PHASES)
def test_what_is_asked_of_a_process_needs_a_running_one(phase: Phase | str) -> None:
    table = table_in(phase)

    if phase is Phase.RUNNING:
        assert table.find("rpd") is table.find("rpd", 2) is table.running(PID)
        assert [PID] == [process.pid for process in table.alive()]
        assert {"serving": 5} == table.report(PID, "serving", 5).reached
        with pytest.raises(Refused, match="rpd runs as incarnation 2, not 1"):
            table.find("rpd", 1)
        with pytest.raises(Refused, match="rpd is running"):
            table.forget("rpd")
    else:
        assert [] == table.alive()
        with pytest.raises(Refused, match="rpd is not running"):
            table.find("rpd")
        with pytest.raises(Refused, match="pid 4711 is not a running module"):
            table.report(PID, "serving", 5)
        assert table.exited(PID) is None


@pytest.mark.parametrize("phase", PHASES)
def test_only_what_has_no_process_is_forgotten(phase: Phase | str) -> None:
    table = table_in(phase)
    table.records["rpd"] = {"a": 1}

    if phase in ("unknown", Phase.GONE):
        table.forget("rpd")
        assert ({}, {}) == (table.processes, table.records)
    else:
        with pytest.raises(Refused):
            table.forget("rpd")
        assert {"rpd": {"a": 1}} == table.records


def test_an_unclaimed_reservation_expires_exactly_once() -> None:
    table = table_in(Phase.RESERVED)

    assert [] == table.expire(CLAIM_TIMEOUT_NS - 1)
    assert ["rpd"] == [process.name for process in table.expire(CLAIM_TIMEOUT_NS)]
    assert [] == table.expire(10**18)
    with pytest.raises(Refused, match="is gone"):
        table.claim("rpd", 2, 99, 18)


def test_a_new_launcher_is_offered_what_nobody_claimed_and_the_time_begins_anew() -> None:
    table = table_in(Phase.RESERVED)
    table.reserve("pfe0", 1, "lean", {}, 0)

    assert ["rpd"] == [process.name for process in table.offer("full", 1000)]
    assert ["pfe0"] == [process.name for process in table.expire(CLAIM_TIMEOUT_NS)]
    assert ["rpd"] == [process.name for process in table.expire(CLAIM_TIMEOUT_NS + 1000)]
    assert [] == table.offer("full", 2000)


def test_there_are_two_kinds_of_launchers_and_three_stages() -> None:
    table = table_in(Phase.RUNNING)

    with pytest.raises(Refused, match="there is no launcher 'fat'"):
        table.reserve("x", 1, "fat", {}, 0)
    with pytest.raises(Refused, match="there is no stage 'happy'"):
        table.report(PID, "happy", 5)


def test_a_module_may_use_its_own_share_and_those_of_its_order() -> None:
    table = table_in(Phase.RUNNING)

    assert {"rpd", "fabric"} == table.find("rpd").shares
    assert {"x"} == Table().reserve("x", 1, "full", {"shares": "no list"}, 0).shares


@pytest.mark.parametrize(
    ("phase", "shown", "pid"),
    [
        (Phase.RESERVED, "reserved", None),
        (Phase.RUNNING, "running", PID),
        (Phase.GONE, "gone", None),
    ],
)
def test_only_a_running_process_has_a_pid(phase: Phase, shown: str, pid: int | None) -> None:
    known = describe(table_in(phase).processes["rpd"])

    assert (shown, pid) == (known["phase"], known["pid"])


operations = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "claim", "exit", "expire"]),
        st.sampled_from(["a", "b"]),
        st.integers(1, 4),
        st.integers(1, 3),
    ),
    max_size=60,
)


@given(operations=operations)
def test_whatever_is_asked_a_name_has_one_process_and_incarnations_rise(
    operations: list[tuple[str, str, int, int]],
) -> None:
    table, newest = Table(), {"a": 0, "b": 0}
    running: dict[int, str] = {}
    for what, name, incarnation, pid in operations:
        try:
            match what:
                case "reserve":
                    table.reserve(name, incarnation, "full", {}, 0)
                    assert incarnation > newest[name] and name not in running.values()
                    newest[name] = incarnation
                case "claim" if pid not in running:
                    table.claim(name, incarnation, pid, 0)
                    assert incarnation == newest[name] and name not in running.values()
                    running[pid] = name
                case "exit":
                    process = table.exited(pid)
                    assert running.pop(pid, None) == (process.name if process else None)
                case _:
                    table.expire(10**18)
        except Refused:
            pass

        assert running == {process.pid: process.name for process in table.alive()}


# -- standing orders --------------------------------------------------------------------------------

NEXT = Standing(3, "full", {"x": 1})


def standing_table(standing: Standing | None = NEXT) -> Table:
    """Incarnation 2 of rpd runs, with a record and a standing order."""
    table = table_in(Phase.RUNNING)
    table.record("rpd", 2, "known", standing)
    return table


def die(table: Table) -> Process | None:
    """It dies; its successor, if there is one."""
    gone = table.exited(PID)
    assert gone is not None
    return table.succeed(gone, 7)


@pytest.mark.parametrize("ordered", ["", FAULT])
def test_a_failed_process_is_succeeded_once_by_a_standing_order(ordered: str) -> None:
    table = standing_table()
    table.find("rpd").ordered = ordered
    successor = die(table)

    assert successor is not None
    assert (3, {"x": 1}, Phase.RESERVED) == (
        successor.incarnation,
        successor.order,
        successor.phase,
    )
    assert 7 + CLAIM_TIMEOUT_NS == successor.claim_deadline_ns
    table.claim("rpd", 3, PID, 18)
    assert die(table) is None


def test_who_was_signalled_by_request_is_not_succeeded() -> None:
    table = standing_table()
    table.find("rpd").ordered = "requested:stop"

    assert die(table) is None


def test_the_next_record_takes_a_standing_order_back() -> None:
    table = standing_table()
    table.record("rpd", 2, "newer")

    assert die(table) is None
    assert "newer" == table.records["rpd"]


@pytest.mark.parametrize("phase", [Phase.RESERVED, Phase.GONE])
def test_a_standing_order_for_who_does_not_run_is_none(phase: Phase) -> None:
    table = table_in(phase)
    table.record("rpd", 2, "known", NEXT)

    assert {} == table.standing
    assert "known" == table.records["rpd"]


def test_a_successor_comes_after_the_one_it_replaces_until_it_is_in_the_record() -> None:
    table = standing_table()
    die(table)
    table.claim("rpd", 3, PID + 1, 18)
    before = describe_before(table.processes["rpd"])

    assert (2, "running", PID) == (before["incarnation"], before["phase"], before["pid"])
    table.record("rpd", 2, "written before it was heard of")
    assert before == describe_before(table.processes["rpd"])
    table.record("rpd", 3, "heard")
    assert describe(table.processes["rpd"]) == describe_before(table.processes["rpd"])


def test_what_is_forgotten_has_no_standing_order() -> None:
    table = standing_table()
    table.exited(PID)
    table.forget("rpd")

    assert {} == table.standing
