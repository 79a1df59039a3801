"""Calls to jlaunchd: what it refuses is passed on as it says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jsupervisor.cli import supervisor_calls
from jsupervisor.cli.errors import CliError

if TYPE_CHECKING:
    from tests.jsupervisor.cli.conftest import Cli, MakeInit, MakeStatus, ServeModule


def test_each_call_is_made_once(
    cli: Cli, make_init: MakeInit, module: MakeStatus, serve_module: ServeModule
) -> None:
    init = make_init(module("rpd", 1))
    with serve_module(init.instance, "jlaunchd") as jlaunchd:
        supervisor_calls.start_module(init.instance, "rpd")
        supervisor_calls.stop_module(init.instance, "rpd")
        supervisor_calls.clear_module(init.instance, "rpd")
        supervisor_calls.reload(init.instance)

    assert ["StartRequest", "StopRequest", "ClearRequest", "ReloadRequest"] == [
        type(request).__name__ for request in jlaunchd.asked
    ]


def test_a_supervisor_that_is_not_there_is_one_clear_line(
    make_init: MakeInit, module: MakeStatus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor_calls, "CALL_SECONDS", 0.2)
    init = make_init(module("rpd", 1))
    with pytest.raises(CliError, match=r"^cannot start rpd: "):
        supervisor_calls.start_module(init.instance, "rpd")
