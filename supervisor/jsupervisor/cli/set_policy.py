"""`jsupervisor set-policy`: another restart policy while everything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from jsupervisor.cli.common import ask_status, find_instance, name_option
from jsupervisor.cli.complete import module_names, policy_names
from jsupervisor.cli.errors import WRONG, CliError
from jsupervisor.jlaunchd.policy import POLICIES, THRASH

if TYPE_CHECKING:
    from jprotos.jlaunchd.v1 import jlaunchd_pb2 as pb


@click.command(
    name="set-policy",
    epilog="Example: jsupervisor set-policy never-give-up rpd",
    short_help="Change a restart policy; nothing is restarted.",
)
@click.argument("policy", required=False, shell_complete=policy_names)
@click.argument("target", required=False, default="", shell_complete=module_names)
@click.option("--intensity", metavar="N", help="Failures forgiven within the period, or `none`.")
@click.option("--period", type=float, metavar="SECONDS", help="Over which failures are counted.")
@click.option(
    "--backoff",
    metavar="INITIAL,FACTOR,CAP[,JITTER[,RESET]]",
    help="Seconds before a restart, and how they grow.",
)
@click.option("--on-thrash", type=click.Choice(THRASH), help="What follows beyond the intensity.")
@name_option
def set_policy(
    policy: str | None,
    target: str,
    intensity: str | None,
    period: float | None,
    backoff: str | None,
    on_thrash: str | None,
    name: str,
) -> None:
    """Put TARGET, a module or a group, under POLICY from now on; without TARGET, everything.

    POLICY is junos, never-give-up, erlang or systemd; the options change single numbers of it. Nothing is
    restarted, and the change lasts until the instance is stopped or reloaded.
    """
    if policy is None:
        raise CliError(f"cannot set the policy: name one of {', '.join(POLICIES)}", WRONG)
    if policy not in POLICIES:
        known = ", ".join(POLICIES)
        raise CliError(f"cannot use policy {policy!r}: there are {known}", WRONG)
    chosen = find_instance(name)
    ask_status(chosen)  # one that does not run is told so before gRPC is imported
    from jprotos.jlaunchd.v1 import jlaunchd_pb2 as pb
    from jsupervisor.cli import supervisor_calls

    request = pb.SetPolicyRequest(target=target)
    if (intensity, period, backoff, on_thrash) == (None, None, None, None):
        request.name = policy
    else:
        request.rule.CopyFrom(_rule(policy, intensity, period, backoff, on_thrash))
    modules = supervisor_calls.set_policy(chosen, request)
    print(f"policy of {', '.join(modules)}: {policy}{'' if request.name else ', changed'}")


def _rule(
    policy: str,
    intensity: str | None,
    period: float | None,
    backoff: str | None,
    on_thrash: str | None,
) -> pb.Policy:
    from jprotos.jlaunchd.v1 import jlaunchd_pb2 as pb

    base = POLICIES[policy]
    forgiven = base.intensity
    if intensity is not None:
        if intensity != "none" and not intensity.isdecimal():
            text = f"cannot set the policy: intensity: {intensity!r} is not a whole number or none"
            raise CliError(text, WRONG)
        forgiven = None if intensity == "none" else int(intensity)
    rule = pb.Policy(
        period=base.period if period is None else period,
        backoff=_backoff(policy, backoff),
        on_thrash=on_thrash or base.on_thrash,
    )
    if forgiven is not None:
        rule.intensity = min(forgiven, 2**32 - 1)
    return rule


def _backoff(policy: str, text: str | None) -> pb.Backoff:
    from jprotos.jlaunchd.v1 import jlaunchd_pb2 as pb

    base = POLICIES[policy].backoff
    numbers = [base.initial, base.factor, base.cap, base.jitter, base.reset]
    if text is not None:
        try:
            given = [float(part) for part in text.split(",")]
        except ValueError:
            given = []
        if not 3 <= len(given) <= len(numbers):
            raise CliError(
                f"cannot set the policy: backoff: {text!r} is not INITIAL,FACTOR,CAP[,JITTER[,RESET]]",
                WRONG,
            )
        numbers[: len(given)] = given
    initial, factor, cap, jitter, reset = numbers
    return pb.Backoff(initial=initial, factor=factor, cap=cap, jitter=jitter, reset=reset)
