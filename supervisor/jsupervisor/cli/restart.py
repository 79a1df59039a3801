"""`jsupervisor restart`: a module is replaced in Junos' manner, and the answer is in Junos' words."""

from __future__ import annotations

from typing import Final

import click

from jsupervisor.cli.common import ask_status, find_instance, name_option
from jsupervisor.cli.complete import module_names
from jsupervisor.cli.errors import WRONG, refused
from jsupervisor.cli.lazy import expand
from jsupervisor.cli.naming import NameProblem, resolve
from jsupervisor.initproto import Json, Message

HOW: Final = ("gracefully", "immediately", "soft", "abort")


def modules_of(status: Message) -> list[dict[str, Json]]:
    """The modules in init's answer."""
    modules = status.get("modules")
    found = modules if isinstance(modules, list) else ()
    return [dict(module) for module in found if isinstance(module, dict)]


def names_of(module: dict[str, Json]) -> tuple[str, ...]:
    """What a user may call it, the unique name first."""
    return tuple(str(module.get(key)) for key in ("name", "executable", "cli_name"))


@click.command(
    epilog="Example: jsupervisor restart routing immediately",
    short_help="Restart a module: gracefully, immediately, soft or abort.",
)
@click.argument("module", shell_complete=module_names)
@click.argument("how", default="gracefully", metavar="[gracefully|immediately|soft|abort]")
@name_option
def restart(module: str, how: str, name: str) -> None:
    """Restart MODULE: gracefully (asked to end), immediately (SIGKILL), soft (SIGHUP, same PID) or abort (SIGABRT, with a post-mortem).

    MODULE is a unique name (rpd, pfe0), an executable (pfe) or Junos' process name (routing). Answers
    when the successor is ready. A requested restart does not count as a failure.
    """
    manner = expand(how, list(HOW))
    chosen = find_instance(name)
    modules = modules_of(ask_status(chosen))
    with refused(WRONG, NameProblem):
        unique = resolve(module, [names_of(each) for each in modules], "restart")
    display = next(str(each.get("display_name")) for each in modules if each["name"] == unique)
    # gRPC is not imported for a name that does not exist.
    from jsupervisor.cli.calls import restart_module

    pid = restart_module(chosen, unique, manner)
    what = "signalled, soft reset" if manner == "soft" else "started"
    print(f"{display} {what}, pid {pid}")
