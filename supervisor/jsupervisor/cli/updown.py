"""`jsupervisor up`, `down` and `clear`: one module, by hand."""

from __future__ import annotations

import click

from jsupervisor.cli.common import ask_status, find_instance, name_option
from jsupervisor.cli.complete import module_names
from jsupervisor.cli.errors import WRONG, refused
from jsupervisor.cli.naming import NameProblem, resolve
from jsupervisor.cli.restart import modules_of, names_of
from jsupervisor.paths import Instance


def _find(module: str, name: str, what: str) -> tuple[Instance, str]:
    """The instance, and the unique name of the module that is meant; raises CliError."""
    chosen = find_instance(name)
    modules = modules_of(ask_status(chosen))
    with refused(WRONG, NameProblem):
        return chosen, resolve(module, [names_of(each) for each in modules], what)


@click.command(epilog="Example: jsupervisor up rpd", short_help="Want a module to run.")
@click.argument("module", shell_complete=module_names)
@name_option
def up(module: str, name: str) -> None:
    """Want MODULE to run: start it, also if it was given up. It starts when what it requires is ready."""
    chosen, unique = _find(module, name, "start")
    from jsupervisor.cli import supervisor_calls

    supervisor_calls.start_module(chosen, unique)
    print(f"{unique}: to run")


@click.command(epilog="Example: jsupervisor down rpd", short_help="Want a module not to run.")
@click.argument("module", shell_complete=module_names)
@name_option
def down(module: str, name: str) -> None:
    """Want MODULE not to run: it is asked to end, and stays down until `up` or `restart`."""
    chosen, unique = _find(module, name, "stop")
    from jsupervisor.cli import supervisor_calls

    supervisor_calls.stop_module(chosen, unique)
    print(f"{unique}: to stop")


@click.command(
    epilog="Example: jsupervisor clear rpd",
    short_help="Forget a module's failures; undo a stop fault.",
)
@click.argument("module", shell_complete=module_names)
@name_option
def clear(module: str, name: str) -> None:
    """Let MODULE go on if a fault stopped it, and forget its failures; one given up is simply down then."""
    chosen, unique = _find(module, name, "clear")
    from jsupervisor.cli import supervisor_calls

    supervisor_calls.clear_module(chosen, unique)
    print(f"{unique}: cleared")
