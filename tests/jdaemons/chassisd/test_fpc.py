"""The states of an FPC: every cell of the table."""

from __future__ import annotations

import pytest

from jdaemons.chassisd.fpc import (
    TRANSITIONS,
    WAITING,
    Announced,
    FpcState,
    GivenUp,
    PortsKnown,
)
from jsupervisor.runtime.fsm import UnexpectedEvent, next_state

EVENTS = (Announced(), PortsKnown(), GivenUp())
EXPECTED = {
    (FpcState.PRESENT, Announced): FpcState.ANNOUNCE_ONLINE,
    (FpcState.PRESENT, GivenUp): FpcState.OFFLINE,
    (FpcState.ANNOUNCE_ONLINE, PortsKnown): FpcState.ONLINE,
    (FpcState.ANNOUNCE_ONLINE, GivenUp): FpcState.OFFLINE,
    (FpcState.OFFLINE, Announced): FpcState.ANNOUNCE_ONLINE,
}


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
@pytest.mark.parametrize("state", FpcState)
def test_every_event_in_every_state_leads_somewhere_or_is_an_error(
    state: FpcState, event: object
) -> None:
    after = EXPECTED.get((state, type(event)))
    if after is None:
        with pytest.raises(UnexpectedEvent):
            next_state("fpc0", TRANSITIONS, state, event)
    else:
        assert after is next_state("fpc0", TRANSITIONS, state, event)


def test_every_state_has_a_row_and_the_waiting_ones_can_be_given_up() -> None:
    assert set(FpcState) == set(TRANSITIONS)
    assert {state for state in WAITING if GivenUp in TRANSITIONS[state]} == WAITING


def test_the_states_are_called_as_junos_calls_them() -> None:
    names = {"Empty", "Present", "Announce online", "Online", "Offline"}

    assert names == {state.value for state in FpcState}
