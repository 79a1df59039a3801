"""`jsupervisor profile`: which chassis profiles there are, what they say, and whether one is sound."""

from __future__ import annotations

import json
from pathlib import Path

import click

from jsupervisor.cli.chassis_check import check_chassis
from jsupervisor.cli.common import group_name_option, json_option, print_json
from jsupervisor.cli.complete import profile_names
from jsupervisor.cli.errors import WRONG, CliError, refused
from jsupervisor.cli.lazy import LazyGroup
from jsupervisor.initproto import Json
from jsupervisor.jlaunchd.plan import Plan
from jsupervisor.jlaunchd.planfile import dump_plan
from jsupervisor.jlaunchd.profile import load_plan
from jsupervisor.jlaunchd.reader import PlanError

_unused_name = click.option("--name", hidden=True, default="default", expose_value=False)


def summary(plan: Plan, ports: int) -> str:
    """What a sound profile amounts to, in one line."""
    return f"{len(plan.programs)} programs, {ports} ports, policy {plan.policy}"


def checked(source: Path) -> tuple[Plan, int]:
    """The plan of a profile and its number of ports, chassis included; raises PlanError."""
    plan = load_plan(source)
    return plan, check_chassis(str(source), plan.chassis)


def known_profiles() -> dict[str, Path]:
    """The files of the profiles that come with jsupervisor, by name."""
    from jchassis import profile_names as names
    from jchassis import profile_path

    return {name: profile_path(name) for name in names()}


@click.group(cls=LazyGroup, epilog="Example: jsupervisor profile list")
@group_name_option
def profile() -> None:
    """List, show and validate chassis profiles."""


@profile.command("list", epilog="Example: jsupervisor profile list --json")
@_unused_name
@json_option
def list_profiles(as_json: bool) -> None:
    """The profiles that come with jsupervisor."""
    found: list[Json] = []
    for name, path in known_profiles().items():
        with refused(WRONG, PlanError):
            plan, ports = checked(path)
        found.append({"name": name, "description": plan.description, "ports": ports})
        if not as_json:
            print(f"{name:<12}{plan.description}")
    if as_json:
        print_json(found)


@profile.command("show", epilog="Example: jsupervisor profile show vmx")
@click.argument("which", metavar="PROFILE", shell_complete=profile_names)
@_unused_name
@json_option
def show_profile(which: str, as_json: bool) -> None:
    """Print the file of PROFILE, a name or a .toml file; with --json the plan it gives."""
    from jsupervisor.boot import find_profile

    with refused(WRONG, PlanError):
        path = find_profile(which)
        plan = load_plan(path)
    if as_json:
        print_json(json.loads(dump_plan(plan)))
    else:
        print(path.read_text(encoding="utf-8"), end="")


@profile.command(epilog="Example: jsupervisor profile validate ./my-chassis.toml")
@click.argument("file", type=click.Path())
@_unused_name
def validate(file: str) -> None:
    """Check a profile FILE whole, programs and chassis, and say what it amounts to."""
    if Path(file).is_dir():
        raise CliError(f"cannot read profile {file}: it is a folder", WRONG)
    with refused(WRONG, PlanError):
        plan, ports = checked(Path(file))
    print(f"{file}: {plan.profile}: {summary(plan, ports)}")
