"""`jsupervisor postmortem`: why a module failed, page by page as a flight recorder tells it.

Reads files, so that it works when everything is dead.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from jsupervisor.cli.common import (
    find_instance,
    json_option,
    name_option,
    print_json,
    require_existing,
)
from jsupervisor.cli.complete import known_modules, victims
from jsupervisor.cli.errors import FAILED, WRONG, CliError, refused
from jsupervisor.cli.naming import NameProblem, resolve
from jsupervisor.cli.render.postmortem import Section, listing, page, plain
from jsupervisor.initproto import Message
from jsupervisor.paths import Instance
from jsupervisor.runtime.cores import Core, CoreError, cores, read_core


@click.command(epilog="Example: jsupervisor postmortem rpd --number 2")
@click.argument("module", required=False, shell_complete=victims)
@name_option
@json_option
@click.option(
    "--number", type=click.IntRange(0), metavar="N",
    help="The core file with this number, e.g. rpd.core.2; else the newest.",
)  # fmt: skip
def postmortem(module: str | None, name: str, as_json: bool, number: int | None) -> None:
    """Print the post-mortem of MODULE's newest failure; without MODULE, list all there are.

    Signal or hang, the stacks of all threads, last log lines and events, what it used, and what the
    restart policy decided.
    """
    chosen = require_existing(find_instance(name))
    if module is None:
        if number is not None:
            raise CliError("cannot show a core by its number alone: say of which module", WRONG)
        _list(chosen, as_json)
        return
    with refused(WRONG, NameProblem):
        unique = resolve(module, _names(chosen), "show the post-mortem of")
    found, path = _pick(chosen, unique, number)
    with refused(FAILED, CoreError):
        core = read_core(path)
    if as_json:
        print_json(_as_json(core, found, path))
    else:
        show(page(core, found, str(path)))


def _names(chosen: Instance) -> list[tuple[str, ...]]:
    """Modules of the plan, those that left a core before they left the plan, and the supervision."""
    known = known_modules(chosen)
    unique = {names[0] for names in known}
    others = {"jlaunchd", "launcher", *(name for name, _, _ in cores(chosen.crash_dir))}
    return [*known, *((name,) for name in sorted(others - unique))]


def _pick(chosen: Instance, module: str, number: int | None) -> tuple[int, Path]:
    found = cores(chosen.crash_dir, module)
    if not found:
        raise CliError(
            f"cannot show a post-mortem of {module}: it has left no core file"
            f" in {chosen.crash_dir}",
            FAILED,
        )
    for _, each, path in reversed(found):
        if number in (None, each):
            return each, path
    numbers = ", ".join(str(each) for _, each, _ in sorted(found, key=lambda core: core[1]))
    raise CliError(f"cannot show core {number} of {module}: there are {numbers}", FAILED)


def _list(chosen: Instance, as_json: bool) -> None:
    found: list[tuple[int, Core, Path]] = []
    for _, number, path in reversed(cores(chosen.crash_dir)):
        try:
            found.append((number, read_core(path), path))
        except CoreError as error:
            print(error, file=sys.stderr)
    if as_json:
        print_json([_as_json(core, number, path) for number, core, path in found])
    elif found:
        print(listing([(number, core) for number, core, _ in found]), end="")
    else:
        print(f"no core files in {chosen.crash_dir}")


def _as_json(core: Core, number: int, path: Path) -> Message:
    return {"number": number, "file": str(path), **core.to_json()}


def show(sections: Sequence[Section]) -> None:
    """Print a page: with rules and colour on a terminal, plain otherwise."""
    if not sys.stdout.isatty():
        print(plain(sections), end="")
        return
    from rich.console import Console
    from rich.rule import Rule
    from rich.text import Text

    console = Console(highlight=False)
    for section in sections:
        if section.heading:
            console.print()
            console.print(Rule(section.heading, align="left", style="dim"))
        for index, line in enumerate(section.lines):
            first = not section.heading and index == 0
            console.print(Text(line, style="bold" if first else ""), soft_wrap=True)
