"""`jsupervisor doctor`: what this machine has of what jsupervisor uses, and what each lack disables."""

from __future__ import annotations

from collections.abc import Sequence

import click

from jsupervisor.cli.common import json_option, name_option, print_json
from jsupervisor.cli.containment_probes import containment_checks
from jsupervisor.cli.errors import WRONG, CliError, refused
from jsupervisor.cli.probes import Check, all_checks
from jsupervisor.paths import PathError, instance


def report(checks: Sequence[Check]) -> list[str]:
    """One line for each check, and what does not work under it."""
    width = max(len(check.name) for check in checks)
    lines = []
    for check in checks:
        lines.append(f"{'ok  ' if check.ok else 'lack'}  {check.name:<{width}}  {check.value}")
        if not check.ok:
            lines.append(f"{'':<{width + 8}}disables {check.disables}")
    return lines


@click.command(
    epilog="Example: jsupervisor doctor --json",
    short_help="Say what this machine lacks, and what that disables.",
)
@name_option
@json_option
def doctor(name: str, as_json: bool) -> None:
    """Look at kernel, rights, memory and folders, and say what each lack disables.

    The exit status is 1 when something is missing without which nothing works.
    """
    with refused(WRONG, PathError):
        chosen = instance(name)
    checks = [*all_checks(chosen), *containment_checks()]
    missing = [check.name for check in checks if check.essential and not check.ok]
    if as_json:
        print_json({"ok": not missing, "checks": [check.to_json() for check in checks]})
    else:
        print("\n".join(report(checks)))
    if missing:
        raise CliError(f"cannot run a router here: {', '.join(missing)}")
