"""`jsupervisor set-policy`: another restart policy while everything runs."""

from __future__ import annotations

import click

from jsupervisor.cli.common import ask_status, find_instance, name_option
from jsupervisor.cli.complete import module_names, policy_names
from jsupervisor.cli.errors import WRONG, CliError
from jsupervisor.jlaunchd.policy import POLICIES, THRASH, Backoff, RestartPolicy, Thrash


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
    on_thrash: Thrash | None,
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
    from jsupervisor.jlaunchd.rules import message_of

    request = pb.SetPolicyRequest(target=target)
    if (intensity, period, backoff, on_thrash) == (None, None, None, None):
        request.name = policy
    else:
        rule = _rule(policy, intensity, period, backoff, on_thrash)
        request.rule.CopyFrom(message_of(rule))
    modules = supervisor_calls.set_policy(chosen, request)
    print(f"policy of {', '.join(modules)}: {policy}{'' if request.name else ', changed'}")


def _rule(
    policy: str,
    intensity: str | None,
    period: float | None,
    backoff: str | None,
    on_thrash: Thrash | None,
) -> RestartPolicy:
    base = POLICIES[policy]
    return RestartPolicy(
        intensity=_intensity(base, intensity),
        period=base.period if period is None else period,
        backoff=_backoff(base.backoff, backoff),
        on_thrash=on_thrash or base.on_thrash,
    )


def _intensity(base: RestartPolicy, text: str | None) -> int | None:
    if text is None:
        return base.intensity
    if text == "none":
        return None
    if not text.isdecimal():
        raise CliError(
            f"cannot set the policy: intensity: {text!r} is not a whole number or none", WRONG
        )
    return min(int(text), 2**32 - 1)


def _backoff(base: Backoff, text: str | None) -> Backoff:
    if text is None:
        return base
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    known = [base.initial, base.factor, base.cap, base.jitter, base.reset]
    if not 3 <= len(numbers) <= len(known):
        raise CliError(
            f"cannot set the policy: backoff: {text!r} is not INITIAL,FACTOR,CAP[,JITTER[,RESET]]",
            WRONG,
        )
    return Backoff(*numbers, *known[len(numbers) :])
