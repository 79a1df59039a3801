"""State machines as literal tables: one lookup decides, and the same table draws the picture.

A machine is `{state: {event type: next state}}`. A pair without a cell is an error that leaves the
state alone; there is no silent default.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

State = TypeVar("State", bound=Enum)

Table = Mapping[State, Mapping[type[object], State]]


class UnexpectedEvent(Exception):
    """An event came in a state that has no cell for it.

    From a peer: count it and answer as the protocol says. From our own code: a bug.
    """

    def __init__(self, machine: str, state: Enum, event: object) -> None:
        super().__init__(
            f"{machine}: cannot handle {type(event).__name__} in state {state.name.lower()}"
        )
        self.machine = machine
        self.state = state
        self.event = event


def next_state(machine: str, table: Table[State], state: State, event: object) -> State:
    """The state after `event`; raises UnexpectedEvent. `machine` names the machine in the error."""
    try:
        return table[state][type(event)]
    except KeyError:
        raise UnexpectedEvent(machine, state, event) from None


def dot(machine: str, table: Table[State]) -> str:
    """The table as a Graphviz graph; equal tables give equal text."""
    lines = [f'digraph "{machine}" {{', "    rankdir=LR;"]
    lines += [f'    "{state.name}";' for state in table]
    for state, row in table.items():
        cells = sorted((after.name, event.__name__) for event, after in row.items())
        lines += [f'    "{state.name}" -> "{after}" [label="{event}"];' for after, event in cells]
    return "\n".join([*lines, "}", ""])
