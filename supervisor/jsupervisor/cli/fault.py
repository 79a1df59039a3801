"""`jsupervisor fault`: inject a fault into a running instance, and say what came of it."""

from __future__ import annotations

import click

from jsupervisor.cli.common import (
    find_instance,
    group_name_option,
    json_option,
    name_option,
    print_json,
)
from jsupervisor.cli.complete import victims
from jsupervisor.cli.errors import FAILED, WRONG, refused


@click.group(epilog="Example: jsupervisor fault list", short_help="Inject faults into modules.")
@group_name_option
def fault() -> None:
    """Inject faults into the modules of a running instance."""


@fault.command(epilog="Example: jsupervisor fault inject kill rpd --json")
@click.argument("kind")
@click.argument("module", shell_complete=victims)
@json_option
@name_option
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 300),
    default=15.0,
    show_default=True,
    help="Seconds to wait for the successor.",
)
@click.pass_context
def inject(
    context: click.Context, kind: str, module: str, as_json: bool, name: str, timeout: float
) -> None:
    """Inject KIND into MODULE and follow it until the successor is ready.

    KIND is kill, segv, abort, stop, exit:N, exception, spin or spin-c. MODULE is a module's unique
    name (rpd, pfe0), jlaunchd, launcher or init. The exit status is 1 when the fault took no effect or
    the module did not come back.
    """
    # Completion and help must not wait for what only a fault needs.
    from jsupervisor.faults.injection import FaultError
    from jsupervisor.faults.injection import inject as run
    from jsupervisor.faults.registry import parse
    from jsupervisor.observer.operator import OperatorError

    with refused(WRONG, ValueError):
        parse(kind)
    chosen = find_instance(name)
    with refused(FAILED, FaultError, OperatorError):
        report = run(chosen, kind, module, timeout=timeout)
    if as_json:
        print_json(report.to_json())
    else:
        for text in report.lines():
            print(text)
    context.exit(0 if report.recovered else FAILED)


@fault.command("list", epilog="Example: jsupervisor fault list")
@click.option("--name", hidden=True, default="default", expose_value=False)
def list_faults() -> None:
    """List the kinds of fault."""
    from jsupervisor.faults.registry import FAULTS

    for kind, known in FAULTS.items():
        print(f"{kind:<12}{known.summary}")
    print(f"{'exit:N':<12}leaves with status N")
