"""`jsupervisor reload`: the profile is read again while everything runs."""

from __future__ import annotations

import click

from jsupervisor.cli.common import ask_status, find_instance, name_option


@click.command(
    epilog="Example: jsupervisor reload",
    short_help="Read the profile again; what both know goes on.",
)
@name_option
def reload(name: str) -> None:
    """Read the file that the instance was started from again.

    Programs that are new start, programs that are gone from it stop, restart policies hold from now on.
    What else changed for a program takes effect at its next start. A file with an error changes nothing.
    """
    chosen = find_instance(name)
    ask_status(chosen)
    from jsupervisor.cli import supervisor_calls

    reply = supervisor_calls.reload(chosen)
    lines = [
        *(f"started: {program}" for program in reply.added),
        *(f"stopped: {program}" for program in reply.removed),
        *(f"at its next start: {program}" for program in reply.changed),
    ]
    print("\n".join(lines or ["reloaded: no program was added, removed or changed"]))
