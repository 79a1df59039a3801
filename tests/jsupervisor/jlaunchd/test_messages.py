"""Events and commands can be compared, logged, and changed by nobody."""

from __future__ import annotations

import dataclasses
import typing

import pytest

from jsupervisor.jlaunchd import messages as m

ALL = [*typing.get_args(m.Event), *typing.get_args(m.Command)]


@pytest.mark.parametrize("kind", ALL)
def test_every_event_and_command_is_frozen_and_has_no_other_attributes(kind: type) -> None:
    assert dataclasses.is_dataclass(kind)
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert "__slots__" in vars(kind)


def test_no_event_is_a_command() -> None:
    assert not set(typing.get_args(m.Event)) & set(typing.get_args(m.Command))


def test_equal_commands_are_equal() -> None:
    assert m.ClearAlarm("rpd") == m.ClearAlarm("rpd")
    assert m.ClearAlarm("rpd") != m.ClearAlarm("dcd")


def test_the_words_of_a_restart_are_junos_own_and_abort() -> None:
    assert ["gracefully", "immediately", "soft", "abort"] == [how.value for how in m.How]
