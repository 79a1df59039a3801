"""`jsupervisor restart`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jprotos.jlaunchd.v1 import jlaunchd_pb2 as pb

if TYPE_CHECKING:
    from tests.jsupervisor.cli.conftest import Cli, MakeInit, MakeStatus, ServeModule


@pytest.mark.parametrize(
    ("arguments", "how", "answer"),
    [
        (("rpd",), pb.HOW_GRACEFULLY, "started"),
        (("routing", "immediately"), pb.HOW_IMMEDIATELY, "started"),
        (("routing", "imm"), pb.HOW_IMMEDIATELY, "started"),
        (("rpd", "soft"), pb.HOW_SOFT, "signalled, soft reset"),
    ],
)
def test_the_answer_is_in_junos_words(
    cli: Cli,
    make_init: MakeInit,
    module: MakeStatus,
    serve_module: ServeModule,
    arguments: tuple[str, ...],
    how: int,
    answer: str,
) -> None:
    init = make_init(module("rpd", 1))
    with serve_module(init.instance, "jlaunchd") as jlaunchd:
        result = cli("restart", *arguments)

    assert (0, f"Routing protocols process {answer}, pid 48721\n") == (result.code, result.out)
    assert [("rpd", how)] == jlaunchd.restarted


def test_an_unknown_module_is_refused_with_the_known_ones(
    cli: Cli, make_init: MakeInit, module: MakeStatus
) -> None:
    make_init(module("rpd", 1))
    result = cli("restart", "bogus")

    assert 2 == result.code
    assert "cannot restart 'bogus': there is no such module; there are rpd" in result.err


def test_an_unknown_manner_is_wrong_usage(cli: Cli) -> None:
    result = cli("restart", "rpd", "gently")

    assert 2 == result.code
    assert "there is no 'gently', but gracefully, immediately, soft" in result.err


def test_what_jlaunchd_refuses_is_passed_on(
    cli: Cli, make_init: MakeInit, module: MakeStatus, serve_module: ServeModule
) -> None:
    init = make_init(module("dcd", 1))
    with serve_module(init.instance, "jlaunchd"):
        result = cli("restart", "dcd")

    assert (1, "jsupervisor: cannot restart dcd: it is stopping\n") == (result.code, result.err)
