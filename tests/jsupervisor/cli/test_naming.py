"""Which module a user means."""

from __future__ import annotations

import pytest

from jsupervisor.cli.naming import NameProblem, resolve

MODULES = [
    ("rpd", "rpd", "routing"),
    ("pfe0", "pfe", "pfe"),
    ("pfe1", "pfe", "pfe"),
]


@pytest.mark.parametrize(
    ("word", "name"), [("rpd", "rpd"), ("routing", "rpd"), ("pfe0", "pfe0"), ("pfe1", "pfe1")]
)
def test_unique_name_executable_and_cli_name_are_understood(word: str, name: str) -> None:
    assert name == resolve(word, MODULES, "restart")


def test_an_executable_that_runs_once_is_enough() -> None:
    assert "pfe0" == resolve("pfe", MODULES[:2], "restart")


def test_a_name_of_several_is_refused_with_their_names() -> None:
    with pytest.raises(NameProblem, match="cannot restart 'pfe': that may be pfe0 or pfe1; say"):
        resolve("pfe", MODULES, "restart")


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        NameProblem, match="'x': there is no such module; there are rpd, pfe0, pfe1"
    ):
        resolve("x", MODULES, "restart")


def test_where_there_are_none_it_is_said() -> None:
    with pytest.raises(NameProblem, match="there are none"):
        resolve("x", [], "restart")
