"""The entry point `jsupervisor`, and the table of its commands."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final

import click

from jsupervisor import __version__
from jsupervisor.cli.common import group_name_option
from jsupervisor.cli.errors import FAILED, CliError, guarded
from jsupervisor.cli.lazy import LazyGroup

PROGRAM: Final = "jsupervisor"
COMPLETE_VARIABLE: Final = "_JSUPERVISOR_COMPLETE"

COMMANDS: Final[Mapping[str, str]] = {
    "start": "jsupervisor.cli.start:start",
    "supervise": "jsupervisor.cli.supervise:supervise",
    "stop": "jsupervisor.cli.stop:stop",
    "status": "jsupervisor.cli.status:status",
    "restart": "jsupervisor.cli.restart:restart",
    "up": "jsupervisor.cli.updown:up",
    "down": "jsupervisor.cli.updown:down",
    "clear": "jsupervisor.cli.updown:clear",
    "set-policy": "jsupervisor.cli.set_policy:set_policy",
    "reload": "jsupervisor.cli.reload:reload",
    "show": "jsupervisor.cli.show:show",
    "config": "jsupervisor.cli.config:config",
    "logs": "jsupervisor.cli.logs:logs",
    "top": "jsupervisor.cli.top:top",
    "events": "jsupervisor.cli.events:events",
    "history": "jsupervisor.cli.history:history",
    "postmortem": "jsupervisor.cli.postmortem:postmortem",
    "fault": "jsupervisor.cli.fault:fault",
    "export": "jsupervisor.cli.export:export",
    "demo": "jsupervisor.cli.demo:demo",
    "profile": "jsupervisor.cli.profile:profile",
    "doctor": "jsupervisor.cli.doctor:doctor",
    "clean": "jsupervisor.cli.stop:clean",
    "completion": "jsupervisor.cli.completion:completion",
}


class Root(LazyGroup):
    """The top of the command line."""

    places = COMMANDS


@click.group(cls=Root, epilog="Example: jsupervisor start --profile vmx")
@click.version_option(__version__, prog_name=PROGRAM)
@group_name_option
def cli() -> None:
    """A Junos-shaped router of crash-isolated processes, made to be broken and measured.

    Commands may be abbreviated: `jsupervisor sh int ter`.
    """


def run(arguments: Sequence[str]) -> int:
    """Carry out one command line; its exit code."""
    return guarded(lambda: _run(arguments))


def _run(arguments: Sequence[str]) -> int:
    if not sys.platform.startswith("linux"):
        raise CliError(f"cannot run on {sys.platform}: jsupervisor needs Linux", FAILED)
    if instruction := os.environ.get(COMPLETE_VARIABLE):
        from click.shell_completion import shell_complete

        return shell_complete(cli, {}, PROGRAM, COMPLETE_VARIABLE, instruction)
    with cli.make_context(PROGRAM, list(arguments)) as context:
        cli.invoke(context)
    return 0


def main() -> None:
    """The command `jsupervisor`."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
