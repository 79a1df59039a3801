"""`jsupervisor set-policy`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jprotos.jlaunchd.v1 import jlaunchd_pb2 as pb

if TYPE_CHECKING:
    from tests.jsupervisor.cli.conftest import Cli, MakeInit, MakeStatus, ServeModule

NEVER = pb.Policy(
    period=30, backoff=pb.Backoff(factor=2, cap=5, reset=1), on_thrash="hold", intensity=None
)


def changed(base: pb.Policy, **changes: object) -> pb.Policy:
    """A policy with other numbers."""
    policy = pb.Policy()
    policy.CopyFrom(base)
    policy.MergeFrom(pb.Policy(**changes))  # type: ignore[arg-type]
    return policy


@pytest.mark.parametrize(
    ("arguments", "request_", "line"),
    [
        (
            ("erlang",),
            pb.SetPolicyRequest(name="erlang"),
            "policy of rpd, dcd: erlang\n",
        ),
        (
            ("erlang", "rpd"),
            pb.SetPolicyRequest(target="rpd", name="erlang"),
            "policy of rpd, dcd: erlang\n",
        ),
        (
            ("never-give-up", "g", "--intensity", "7", "--period", "2"),
            pb.SetPolicyRequest(target="g", rule=changed(NEVER, intensity=7, period=2)),
            "policy of rpd, dcd: never-give-up, changed\n",
        ),
        (
            ("never-give-up", "--backoff", "0.5,3,9,1", "--on-thrash", "escalate"),
            pb.SetPolicyRequest(
                rule=changed(
                    NEVER,
                    on_thrash="escalate",
                    backoff=pb.Backoff(initial=0.5, factor=3, cap=9, jitter=1),
                )
            ),
            "policy of rpd, dcd: never-give-up, changed\n",
        ),
        (
            ("junos", "--intensity", "none"),
            pb.SetPolicyRequest(
                rule=pb.Policy(period=30, backoff=pb.Backoff(factor=2, reset=10), on_thrash="hold")
            ),
            "policy of rpd, dcd: junos, changed\n",
        ),
    ],
)
def test_what_is_asked_of_jlaunchd(
    cli: Cli,
    make_init: MakeInit,
    module: MakeStatus,
    serve_module: ServeModule,
    arguments: tuple[str, ...],
    request_: pb.SetPolicyRequest,
    line: str,
) -> None:
    init = make_init(module("rpd", 1))
    with serve_module(init.instance, "jlaunchd") as jlaunchd:
        result = cli("set-policy", *arguments)

    assert (0, line, "") == (result.code, result.out, result.err)
    assert [request_] == jlaunchd.asked


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "cannot set the policy: name one of junos, never-give-up, erlang, systemd"),
        (("linux",), "cannot use policy 'linux': there are junos, "),
        (("junos", "--intensity", "-1"), "cannot set the policy: intensity: '-1' is not a whole"),
        (("junos", "--backoff", "1,2"), "cannot set the policy: backoff: '1,2' is not INITIAL,"),
        (("junos", "--backoff", "a,b,c"), "cannot set the policy: backoff: 'a,b,c' is not"),
    ],
)
def test_wrong_usage_is_one_line(
    cli: Cli, make_init: MakeInit, module: MakeStatus, arguments: tuple[str, ...], why: str
) -> None:
    make_init(module("rpd", 1))
    result = cli("set-policy", *arguments)

    assert 2 == result.code
    assert f"jsupervisor: {why}" in result.err


def test_an_instance_that_does_not_run_is_told_so(cli: Cli) -> None:
    result = cli("set-policy", "junos")

    assert 1 == result.code
    assert "cannot reach instance default: it is not running" in result.err
