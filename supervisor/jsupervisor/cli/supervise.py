"""`jsupervisor supervise`: programs that are not ours, under the same init and the same supervisor."""

from __future__ import annotations

from typing import Final

import click

from jsupervisor import __version__
from jsupervisor.cli.common import find_instance, name_option
from jsupervisor.cli.complete import policy_names
from jsupervisor.cli.errors import FAILED, WRONG, refused

HINTS: Final = ("status", "events --follow")


@click.command(
    epilog="Example: jsupervisor supervise programs.toml",
    short_help="Supervise programs of your own.",
)
@click.argument("file", type=click.Path())
@name_option
@click.option(
    "--policy",
    metavar="NAME",
    shell_complete=policy_names,
    help="Restart policy of all programs, instead of the file's.",
)
@click.option("--check", is_flag=True, help="Say whether FILE is good, and start nothing.")
@click.option(
    "--no-heartbeats",
    "heartbeats",
    is_flag=True,
    flag_value=False,
    default=True,
    help="Ask nobody for signs of life: who hangs is left alone, and idle is idle.",
)
@click.option(
    "--detach", is_flag=True, help="Return when all programs have started, and leave them running."
)
def supervise(
    file: str, name: str, policy: str | None, check: bool, heartbeats: bool, detach: bool
) -> None:
    """Start the programs of FILE, restart what dies by policy, and stay with them. Ctrl-C stops all.

    FILE is TOML: a [program.NAME] for each, with its command, and what docs/how-to/supervise-programs.md
    lists. status, restart, up, down, logs, events, fault, set-policy, reload and stop work as for a router.
    """
    from jsupervisor.boot import BootError, boot, make_programs_plan
    from jsupervisor.jlaunchd.reader import PlanError
    from jsupervisor.paths import PathError

    with refused(WRONG, PlanError):
        plan = make_programs_plan(file, policy=policy, heartbeats=heartbeats)
    count = f"{len(plan.programs)} program{'s' if len(plan.programs) != 1 else ''}"
    if check:
        print(f"{file}: good, {count}")
        return
    from jsupervisor.cli.following import follow
    from jsupervisor.cli.foreground import ending_signals, force_end, say

    find_instance(name)
    with ending_signals() as signals:
        with refused(FAILED, BootError, PathError):
            booted = boot(plan, name=name, detach=detach)
        try:
            say(f"jsupervisor {__version__}: supervising {count} of {file}")
            follow(booted, signals, detach=detach, hints=HINTS)
        except BaseException:
            force_end(booted)
            raise
