"""What the commands have in common: the instance's name, its folders, JSON output."""

from __future__ import annotations

import json
from typing import Final

import click
from click.core import ParameterSource

from jsupervisor.cli.complete import instance_names
from jsupervisor.cli.errors import FAILED, WRONG, CliError, refused
from jsupervisor.initproto import Json, Message
from jsupervisor.paths import Instance, PathError, instance

STATUS_SECONDS: Final = 3.0
"""init answers within a millisecond, or is stopped."""

name_option: Final = click.option(
    "--name",
    default="default",
    show_default=True,
    metavar="NAME",
    shell_complete=instance_names,
    help="Instance name.",
)
architecture_option: Final = click.option(
    "--architecture",
    type=click.Choice(["modular", "monolithic", "restart-all"]),
    default="modular",
    show_default=True,
    help="For comparison. monolithic: all modules in one process. restart-all: one fails, all restart.",
)
json_option: Final = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _hand_down(context: click.Context, parameter: click.Parameter, value: object) -> None:
    """Make what a group was given the default of all commands under it."""
    assert isinstance(context.command, click.Group)
    assert parameter.name is not None
    if context.get_parameter_source(parameter.name) is ParameterSource.DEFAULT:
        return
    handed = dict(context.default_map or {})
    for name in context.command.list_commands(context):
        handed[name] = {**handed.get(name, {}), parameter.name: value}
    context.default_map = handed


# For groups: `show --name r1 route` means `show route --name r1`.
group_name_option: Final = click.option(
    "--name",
    metavar="NAME",
    default="default",
    expose_value=False,
    callback=_hand_down,
    shell_complete=instance_names,
    help="Instance name, for every command below.",
)
group_json_option: Final = click.option(
    "--json",
    "as_json",
    is_flag=True,
    expose_value=False,
    callback=_hand_down,
    help="Print JSON.",
)


def find_instance(name: str) -> Instance:
    """The instance called `name`, freed of what a dead init left behind; raises CliError."""
    with refused(WRONG, PathError):
        found = instance(name)
    sweep_if_dead(found)
    return found


def sweep_if_dead(found: Instance) -> bool:
    """Remove the sockets of an instance whose init died without doing so; were there any?"""
    if not found.run_dir.is_dir():
        return False
    import os

    with refused(FAILED, PathError):
        lock = found.lock()
    if lock is None:
        return False
    try:
        return found.sweep()
    finally:
        os.close(lock)


def require_existing(found: Instance) -> Instance:
    """The instance, if it was ever started; raises CliError."""
    if not found.home.is_dir():
        raise CliError(
            f"cannot find instance {found.name}: there is none;"
            f" start it with: jsupervisor start --name {found.name}"
        )
    return found


def ask_status(found: Instance) -> Message:
    """What init says of the instance, as it says it; raises CliError."""
    from jsupervisor.observer.operator import Operator, OperatorError

    with refused(FAILED, OperatorError):
        operator = Operator(found, STATUS_SECONDS)
    with operator:
        try:
            answer = operator.request({"op": "status"}).get("status")
        except OperatorError as error:
            text = f"cannot read the status of instance {found.name}: init does not answer"
            raise CliError(text) from error
    if not isinstance(answer, dict):
        raise CliError(f"cannot read the status of instance {found.name}: init refuses")
    return answer


def print_json(value: Json) -> None:
    """One value, indented, with its keys in their order."""
    print(json.dumps(value, indent=2))
