"""The record that outlives the supervisor: what is written can be read, and nonsense cannot."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsupervisor.init.table import MAX_RECORD
from jsupervisor.initproto import Json, encode
from jsupervisor.jlaunchd.child import State
from jsupervisor.jlaunchd.module import Module
from jsupervisor.jlaunchd.plan import Program
from jsupervisor.jlaunchd.policy import REMEMBERED

RPD = Program(name="rpd", executable="rpd", entry="a.b:C")
seconds = st.floats(0, 1e9)
modules = st.builds(
    Module,
    st.just(RPD),
    state=st.sampled_from(State),
    wanted=st.booleans(),
    failures=st.lists(seconds, max_size=REMEMBERED).map(tuple),
    restarts=st.integers(0, 10**9),
    last_cause=st.sampled_from(["", "signal:SIGKILL", "exit:17", "hang"]),
    ready_at=st.just("2026-11-23T10:00:00.000000Z"),
    deadline=st.none() | seconds,
    down_since=st.none() | seconds,
    counted=st.integers(0, 10**9),
    replacing=st.sampled_from(["", "gracefully", "immediately"]),
    killed_for=st.sampled_from(["", "hang", "start-timeout"]),
)


@given(module=modules)
def test_a_record_comes_back_as_it_was_and_is_small_enough_for_init(module: Module) -> None:
    encoded = encode(module.record())
    other = Module(RPD)
    other.restore(json.loads(encoded[1:]))

    assert module == other
    assert len(encoded) <= MAX_RECORD


@pytest.mark.parametrize(
    "change",
    [
        {"failures": 3},
        {"failures": ["x"]},
        {"failures": [True]},
        {"restarts": None},
        {"down_since": "now"},
        {"counted": []},
        {"state": "asleep"},
        {"deadline": {}},
    ],
)
def test_a_record_that_makes_no_sense_is_refused(change: dict[str, Json]) -> None:
    with pytest.raises((TypeError, ValueError)):
        Module(RPD).restore({**Module(RPD).record(), **change})


@pytest.mark.parametrize("key", Module(RPD).record())
def test_a_record_that_lacks_something_is_refused(key: str) -> None:
    record = Module(RPD).record()
    del record[key]

    with pytest.raises(KeyError):
        Module(RPD).restore(record)


def test_log_lines_call_it_by_its_cli_name() -> None:
    assert "routing" == Module(RPD).cli_name
    assert "routing is thrashing, not restarted" == Module(RPD).thrashing
