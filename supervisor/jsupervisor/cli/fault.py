"""`jsupervisor fault`: inject a fault into a running instance, and say what came of it."""

from __future__ import annotations

import json
import sys

import click


@click.group(short_help="Inject faults into modules.")
def fault() -> None:
    """Inject faults into the modules of a running instance."""


@fault.command(epilog="Example: jsupervisor fault inject kill rpd --json")
@click.argument("kind")
@click.argument("module")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--name", default="default", show_default=True, help="Instance name.")
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 300),
    default=15.0,
    show_default=True,
    help="Seconds to wait for the successor.",
)
def inject(kind: str, module: str, as_json: bool, name: str, timeout: float) -> None:
    """Inject KIND into MODULE and follow it until the successor is ready.

    KIND is kill, segv, abort, stop, exit:N, exception, spin or spin-c. MODULE is a module's unique
    name (rpd, pfe0), jlaunchd, launcher or init. The exit status is 1 when the fault took no effect or
    the module did not come back.
    """
    from jsupervisor.faults.injection import FaultError
    from jsupervisor.faults.injection import inject as run
    from jsupervisor.faults.registry import parse
    from jsupervisor.observer.operator import OperatorError
    from jsupervisor.paths import PathError, instance

    try:
        parse(kind)
        chosen = instance(name)
    except (ValueError, PathError) as error:
        print(f"jsupervisor: {error}", file=sys.stderr)
        sys.exit(2)
    try:
        report = run(chosen, kind, module, timeout=timeout)
    except (FaultError, OperatorError) as error:
        print(f"jsupervisor: {error}", file=sys.stderr)
        sys.exit(1)
    if as_json:
        print(json.dumps(report.to_json()))
    else:
        for text in report.lines():
            print(text)
    sys.exit(0 if report.recovered else 1)


@fault.command("list", epilog="Example: jsupervisor fault list")
def list_faults() -> None:
    """List the kinds of fault."""
    from jsupervisor.faults.registry import FAULTS

    for kind, known in FAULTS.items():
        print(f"{kind:<12}{known.summary}")
    print(f"{'exit:N':<12}leaves with status N")
