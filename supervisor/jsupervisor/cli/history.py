"""`jsupervisor history`: every end of every process, with its downtime. Read from the journal alone.

The journal is all that `Supervisor.History` could tell, and a file can be read when everything is dead.
"""

from __future__ import annotations

import click

from jsupervisor.cli.common import (
    find_instance,
    json_option,
    name_option,
    print_json,
    require_existing,
)
from jsupervisor.cli.complete import known_modules, victims
from jsupervisor.cli.errors import WRONG, refused
from jsupervisor.cli.events import past
from jsupervisor.cli.naming import NameProblem, resolve
from jsupervisor.cli.render.history import End, ends, table
from jsupervisor.paths import Instance


@click.command(
    epilog="Example: jsupervisor history rpd -n 10",
    short_help="What has ended, why, and for how long it was missed.",
)
@click.argument("module", required=False, shell_complete=victims)
@name_option
@json_option
@click.option("-n", "count", type=click.IntRange(0), metavar="N", help="Only the last N.")
def history(module: str | None, name: str, as_json: bool, count: int | None) -> None:
    """Print every end of MODULE, or of all: cause, downtime, attempt, and what the policy decided.

    Downtime is from the end to the successor's readiness; `-` when there has been none.
    """
    chosen = require_existing(find_instance(name))
    found = ends(past(chosen, None))
    if module is not None:
        with refused(WRONG, NameProblem):
            unique = resolve(module, _names(chosen, found), "show the history of")
        found = [end for end in found if end.name == unique]
    found = found if count is None else found[len(found) - min(count, len(found)) :]
    if as_json:
        print_json([end.to_json() for end in found])
    elif found:
        print("\n".join(table(found)))
    else:
        print(f"nothing has ended in instance {chosen.name}")


def _names(chosen: Instance, found: list[End]) -> list[tuple[str, ...]]:
    """Modules of the plan, those that ended before they left it, and the supervision."""
    known = known_modules(chosen)
    others = {"jlaunchd", "launcher", *(end.name for end in found)} - {names[0] for names in known}
    return [*known, *((name,) for name in sorted(others))]
