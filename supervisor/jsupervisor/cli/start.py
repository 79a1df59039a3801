"""`jsupervisor start`: check everything, boot, tell each step, stay in the foreground or let go."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, cast

import click

from jsupervisor import __version__
from jsupervisor.cli.common import architecture_option, find_instance, name_option
from jsupervisor.cli.complete import policy_names, profile_names
from jsupervisor.cli.config import check_file, read_text, refuse
from jsupervisor.cli.errors import FAILED, WRONG, CliError, refused

if TYPE_CHECKING:
    from jsupervisor.jlaunchd.plan import Architecture

IFNAME: Final = re.compile(r"[a-z]{2}-\d{1,3}/\d{1,3}/\d{1,4}")
HINTS: Final = ("status", "show interfaces terse", "fault inject kill rpd")


def parse_ports(values: Iterable[str]) -> dict[str, str]:
    """IFNAME=SPEC, each interface once; raises CliError.

    A relative path is made absolute: the packet engine works in another folder.
    """
    from jsupervisor.runtime.portspec import parse_port_spec

    ports: dict[str, str] = {}
    for value in values:
        name, equals, spec = value.partition("=")
        if not equals or not spec:
            raise CliError(f"cannot use port {value!r}: write IFNAME=SPEC", WRONG)
        if not IFNAME.fullmatch(name):
            raise CliError(f"cannot use port {name!r}: an interface is called like ge-0/0/1", WRONG)
        if name in ports:
            raise CliError(f"cannot use port {name} twice: {ports[name]} and {spec}", WRONG)
        if spec.startswith("unix:") and len(spec) > len("unix:"):
            spec = "unix:" + os.path.abspath(spec.removeprefix("unix:"))
        with refused(WRONG, ValueError):
            parse_port_spec(spec)
        ports[name] = spec
    return ports


def checked_config(path: str | None) -> str | None:
    """The text of a configuration file that mgd finds good; raises CliError."""
    if path is None:
        return None
    problems = check_file(path)
    if problems:
        raise refuse(path, problems)
    return read_text(path)


@click.command(
    epilog="Example: jsupervisor start --profile vmx --port ge-0/0/0=unix:/tmp/left",
    short_help="Boot a router, and stay with it or let go.",
)
@name_option
@click.option(
    "--profile",
    default="vmx",
    show_default=True,
    metavar="P",
    shell_complete=profile_names,
    help="A profile's name, or a .toml file.",
)
@click.option(
    "--policy",
    metavar="NAME",
    shell_complete=policy_names,
    help="Restart policy of all modules, instead of the profile's.",
)
@click.option(
    "--config", metavar="FILE", type=click.Path(), help="The configuration to begin with."
)
@click.option(
    "--port",
    "ports",
    multiple=True,
    metavar="IFNAME=SPEC",
    help="Join an interface to udp:, unix:, veth:, af_packet: or tap:. May be given several times.",
)
@architecture_option
@click.option(
    "--metrics-listen",
    "metrics",
    metavar="ADDRESS:PORT",
    help="Serve metrics over TCP as well, e.g. on 127.0.0.1:9464.",
)
@click.option(
    "--no-heartbeats",
    "heartbeats",
    is_flag=True,
    flag_value=False,
    default=True,
    help="Ask nobody for signs of life: who hangs is left alone, and idle is idle.",
)
@click.option(
    "--detach", is_flag=True, help="Return when all modules are up, and leave it running."
)
def start(
    name: str,
    profile: str,
    policy: str | None,
    config: str | None,
    ports: tuple[str, ...],
    architecture: str,
    metrics: str | None,
    heartbeats: bool,
    detach: bool,
) -> None:  # fmt: skip
    """Boot a router and stay with it: each step as it happens, then a live view. Ctrl-C stops it.

    Nothing is started unless profile, ports and configuration are good.
    """
    from jsupervisor.boot import BootError, boot, make_plan
    from jsupervisor.cli.following import follow
    from jsupervisor.cli.foreground import ending_signals, force_end, say
    from jsupervisor.jlaunchd.reader import PlanError
    from jsupervisor.paths import PathError

    find_instance(name)
    joined = parse_ports(ports)
    with refused(WRONG, PlanError):
        plan = make_plan(
            profile,
            policy=policy,
            ports=joined,
            architecture=cast("Architecture", architecture),
            metrics=metrics,
            heartbeats=heartbeats,
        )
    text = checked_config(config)
    with ending_signals() as signals:
        with refused(FAILED, BootError, PathError):
            booted = boot(plan, name=name, config=text, detach=detach)
        try:
            what = plan.description or plan.profile
            say(f"jsupervisor {__version__}: booting {what}, {architecture}")
            follow(booted, signals, detach=detach, hints=HINTS)
        except BaseException:
            force_end(booted)
            raise
