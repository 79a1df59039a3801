"""Every cell of the module's life, and what follows from all of them together."""

from __future__ import annotations

import pytest

from jsupervisor.jlaunchd import child as c
from jsupervisor.jlaunchd.child import TRANSITIONS, State
from jsupervisor.runtime.fsm import UnexpectedEvent, next_state

EVENTS: list[c.Event] = [
    c.Start(),
    c.Ready(),
    c.Stop(),
    c.Restart(),
    c.Hung(),
    c.StopLate(),
    c.Ended(),
    c.Replaced(),
    c.Forgiven(0.5),
    c.Condemned(),
    c.BackoffOver(),
]

# Written out a second time, by hand: a slip in the table does not repeat itself here.
#            Start Ready Stop Restart Hung StopLate Ended Replaced Forgiven Condemned BackoffOver
EXPECTED = """
DOWN         S     .     D    .       .    .        .     .        .        F         .
STARTING     .     U     P    P       K    .        D     .        B        F         .
UP           .     .     P    P       K    .        D     .        B        F         .
STOPPING     .     P     P    P       P    P        D     S        .        F         .
KILLING      .     K     P    P       K    .        D     .        B        F         .
BACKOFF      S     .     D    S       .    .        .     .        .        F         S
FAILED       S     .     D    S       .    .        .     .        .        .         .
"""
LETTERS = {
    "D": State.DOWN,
    "S": State.STARTING,
    "U": State.UP,
    "P": State.STOPPING,
    "K": State.KILLING,
    "B": State.BACKOFF,
    "F": State.FAILED,
}
CELLS = [
    (State[row.split()[0]], event, LETTERS.get(letter))
    for row in EXPECTED.strip().splitlines()
    for event, letter in zip(EVENTS, row.split()[1:], strict=True)
]


@pytest.mark.parametrize(("state", "event", "after"), CELLS)
def test_every_cell_leads_where_it_should_and_no_other_leads_anywhere(
    state: State, event: c.Event, after: State | None
) -> None:
    if after is not None:
        assert after is next_state("rpd", TRANSITIONS, state, event)
    else:
        with pytest.raises(UnexpectedEvent, match=f"rpd: cannot handle {type(event).__name__}"):
            next_state("rpd", TRANSITIONS, state, event)


def test_the_table_has_no_event_that_the_cells_above_do_not_know() -> None:
    known = {type(event) for event in EVENTS}

    assert set(State) == set(TRANSITIONS)
    assert known == {event for row in TRANSITIONS.values() for event in row}


@pytest.mark.parametrize("goal", State)
def test_every_state_can_be_reached_from_every_other(goal: State) -> None:
    reaching = {goal}
    while True:
        more = {s for s, row in TRANSITIONS.items() if reaching & set(row.values())} | reaching
        if more == reaching:
            break
        reaching = more

    assert set(State) == reaching


def test_an_operator_sees_the_six_documented_words() -> None:
    words = {"down", "starting", "up", "stopping", "backoff", "failed"}

    assert words == {state.shown for state in State}
