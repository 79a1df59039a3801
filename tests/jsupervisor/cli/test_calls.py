"""Calls to modules: dead and silent ones are told in Junos' words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jsupervisor.cli import calls
from jsupervisor.cli.calls import get, require_running, subsystem
from jsupervisor.cli.errors import CliError

if TYPE_CHECKING:
    from tests.jsupervisor.cli.conftest import MakeInit, MakeStatus, ServeModule


@pytest.fixture(autouse=True)
def short_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "CALL_SECONDS", 0.3)


def test_data_comes_as_the_module_gave_it(
    make_init: MakeInit, module: MakeStatus, serve_module: ServeModule
) -> None:
    init = make_init(module("rpd", 1))
    with serve_module(init.instance, "rpd", {"route-information": {"a": ["1"]}}) as rpd:
        data = get(init.instance, "rpd", "route-information", "show route", {"destination": "::"})

    assert {"a": ["1"]} == data
    assert {"destination": "::"} == rpd.arguments


def test_a_dead_module_is_not_running(make_init: MakeInit, module: MakeStatus) -> None:
    init = make_init(module("rpd", None))
    with pytest.raises(CliError, match="error: the routing subsystem is not running") as raised:
        get(init.instance, "rpd", "route-information", "show route")

    assert 1 == raised.value.code


def test_a_module_that_the_profile_lacks_is_not_running(make_init: MakeInit) -> None:
    with pytest.raises(CliError, match="the pfe-control subsystem is not running"):
        require_running(make_init().instance, "pfectl0", "show it")


def test_a_part_of_the_monolith_runs_with_it(make_init: MakeInit, module: MakeStatus) -> None:
    require_running(make_init(module("router", 1)).instance, "rpd", "show route")


def test_a_silent_module_is_not_responding(make_init: MakeInit, module: MakeStatus) -> None:
    init = make_init(module("rpd", 1))
    expected = (
        "cannot show route: error: the routing subsystem is not responding to management requests"
    )
    with pytest.raises(CliError, match=expected):
        get(init.instance, "rpd", "route-information", "show route")


def test_arguments_that_a_module_refuses_are_wrong_input(
    make_init: MakeInit, module: MakeStatus, serve_module: ServeModule
) -> None:
    init = make_init(module("rpd", 1))
    with (
        serve_module(init.instance, "rpd"),
        pytest.raises(CliError, match="cannot get 'x': no") as raised,
    ):
        get(init.instance, "rpd", "x", "show x")

    assert 2 == raised.value.code


def test_a_subsystem_has_the_cli_name() -> None:
    assert ["routing", "pfe-control"] == [subsystem(name) for name in ("rpd", "pfectl1")]
