"""Commands by any unambiguous prefix, imported when they are run."""

from __future__ import annotations

import sys
from typing import ClassVar

import click
import pytest

from jsupervisor.cli.lazy import LazyGroup, expand

NAMES = ["start", "status", "stop", "show"]


@pytest.mark.parametrize(
    ("word", "name"), [("start", "start"), ("star", "start"), ("sto", "stop"), ("sh", "show")]
)
def test_an_unambiguous_prefix_is_enough(word: str, name: str) -> None:
    assert name == expand(word, NAMES)


def test_an_exact_name_wins_over_longer_ones() -> None:
    assert "fault" == expand("fault", ["faults", "fault"])


def test_an_ambiguous_prefix_names_what_it_may_be() -> None:
    with pytest.raises(click.UsageError, match="'sta' is ambiguous: start, status"):
        expand("sta", NAMES)


def test_an_unknown_word_names_what_there_is() -> None:
    with pytest.raises(click.UsageError, match="there is no 'x', but start, status, stop, show"):
        expand("x", NAMES)


class Group(LazyGroup):
    places: ClassVar = {"far": "jsupervisor.cli.completion:completion"}


def test_a_command_is_imported_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "jsupervisor.cli.completion", raising=False)
    group = Group("x")
    context = click.Context(group)

    assert ["far"] == group.list_commands(context)
    assert "jsupervisor.cli.completion" not in sys.modules
    name, command, rest = group.resolve_command(context, ["fa", "bash"])
    assert ("far", ["bash"]) == (name, rest)
    assert command is group.get_command(context, "far")


def test_commands_that_are_added_follow_those_of_the_table() -> None:
    group = Group("x")
    group.add_command(click.Command("near"))
    context = click.Context(group)

    assert ["far", "near"] == group.list_commands(context)
    assert "near" == group.resolve_command(context, ["n"])[0]
    assert group.get_command(context, "none") is None
