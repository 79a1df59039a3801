"""`jsupervisor up`, `down`, `clear` and `reload`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jprotos.jlaunchd.v1 import jlaunchd_pb2 as pb

if TYPE_CHECKING:
    from tests.jsupervisor.cli.conftest import Cli, MakeInit, MakeStatus, ServeModule


@pytest.mark.parametrize(
    ("command", "request_", "line"),
    [
        ("up", pb.StartRequest(name="rpd"), "rpd: to run\n"),
        ("down", pb.StopRequest(name="rpd"), "rpd: to stop\n"),
        ("clear", pb.ClearRequest(name="rpd"), "rpd: cleared\n"),
    ],
)
def test_a_module_may_be_called_by_any_of_its_names(
    cli: Cli,
    make_init: MakeInit,
    module: MakeStatus,
    serve_module: ServeModule,
    command: str,
    request_: object,
    line: str,
) -> None:
    init = make_init(module("rpd", 1))
    with serve_module(init.instance, "jlaunchd") as jlaunchd:
        results = [cli(command, name) for name in ("rpd", "routing")]

    assert [(0, line)] * 2 == [(result.code, result.out) for result in results]
    assert [request_] * 2 == jlaunchd.asked


@pytest.mark.parametrize("command", ["up", "down", "clear"])
def test_an_unknown_module_is_refused(
    cli: Cli, make_init: MakeInit, module: MakeStatus, command: str
) -> None:
    make_init(module("rpd", 1))
    result = cli(command, "bogus")

    assert 2 == result.code
    assert "'bogus': there is no such module; there are rpd" in result.err


def test_a_reload_says_what_is_different(
    cli: Cli, make_init: MakeInit, module: MakeStatus, serve_module: ServeModule
) -> None:
    init = make_init(module("rpd", 1))
    with serve_module(init.instance, "jlaunchd"):
        result = cli("reload")

    assert "started: x\nstopped: y\nat its next start: z\n" == result.out
