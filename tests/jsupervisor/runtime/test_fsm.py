"""The lookup and the picture."""

from __future__ import annotations

from enum import Enum, auto

import pytest

from jsupervisor.runtime.fsm import Table, UnexpectedEvent, dot, next_state


class Light(Enum):
    OFF = auto()
    ON = auto()


class Push:
    pass


class Cut:
    pass


TABLE: Table[Light] = {Light.OFF: {Push: Light.ON}, Light.ON: {Push: Light.OFF, Cut: Light.OFF}}


@pytest.mark.parametrize("state", Light)
@pytest.mark.parametrize("event", [Push(), Cut()])
def test_every_cell_leads_where_it_says_and_no_other_leads_anywhere(
    state: Light, event: object
) -> None:
    if type(event) in TABLE[state]:
        assert TABLE[state][type(event)] == next_state("light", TABLE, state, event)
    else:
        with pytest.raises(UnexpectedEvent, match="light: cannot handle Cut in state off"):
            next_state("light", TABLE, state, event)


def test_a_state_without_a_row_takes_no_event() -> None:
    with pytest.raises(UnexpectedEvent):
        next_state("light", {}, Light.ON, Push())


def test_equal_tables_draw_equal_pictures() -> None:
    other: Table[Light] = {
        Light.OFF: {Push: Light.ON},
        Light.ON: {Cut: Light.OFF, Push: Light.OFF},
    }

    assert dot("light", TABLE) == dot("light", other)
    assert '"ON" -> "OFF" [label="Cut"];' in dot("light", TABLE)
