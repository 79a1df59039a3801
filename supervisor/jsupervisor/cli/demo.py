"""`jsupervisor demo`: every module killed and stopped under traffic, and a table of what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from jsupervisor.cli.common import architecture_option, json_option, print_json
from jsupervisor.cli.errors import FAILED, WRONG, refused
from jsupervisor.demo.rows import Verdict, exit_code, verdict
from jsupervisor.paths import PathError, home_of_all

if TYPE_CHECKING:
    from jsupervisor.jlaunchd.plan import Architecture


@click.command(
    epilog="Example: jsupervisor demo --rate 10000",
    short_help="Kill and stop every module under traffic; show what the others noticed.",
)
@json_option
@click.option(
    "--rate",
    type=click.FloatRange(100, 100_000),
    default=10_000,
    show_default=True,
    help="Packets per second, all flows together.",
)
@architecture_option
@click.option(
    "--expect",
    type=click.Choice([each.value for each in Verdict]),
    default=Verdict.ISOLATED.value,
    show_default=True,
    help="The verdict that counts as success.",
)
@click.option("--name", default=None, help="Instance name; without one, no folder is left behind.")
@click.option(
    "--module", "modules", multiple=True, help="Only this victim; may be given several times."
)
@click.option("--fault", "faults", multiple=True, type=click.Choice(["kill", "stop"]))
@click.pass_context
def demo(
    context: click.Context,
    as_json: bool,
    rate: float,
    architecture: str,
    expect: str,
    name: str | None,
    modules: tuple[str, ...],
    faults: tuple[str, ...],
) -> None:
    """Boot vmx, send IPv4 and IPv6 traffic through it, and hit each module in turn.

    Needs no root. Each module, jlaunchd and the launcher are killed (SIGKILL) and stopped (SIGSTOP),
    while the input of the dead one changes. The exit status is 1 when any other module was disturbed.
    """
    # The command's help must not wait for gRPC and rich.
    from rich.console import Console

    from jsupervisor.boot import BootError
    from jsupervisor.demo import report
    from jsupervisor.demo.runner import FAULTS, DemoError, UnknownVictim, run_demo
    from jsupervisor.faults.injection import FaultError
    from jsupervisor.jlaunchd.reader import PlanError
    from jsupervisor.observer.operator import OperatorError
    from jsupervisor.testing.harness import HarnessError
    from jsupervisor.testing.traffic.testbed import TrafficError

    console = Console(stderr=as_json)
    with (
        refused(WRONG, UnknownVictim, PathError),
        refused(FAILED, BootError, PlanError, DemoError, FaultError),
        refused(FAILED, HarnessError, OperatorError, TrafficError),
    ):
        result = run_demo(
            rate=rate,
            architecture=cast("Architecture", architecture),
            modules=modules or None,
            faults=faults or FAULTS,
            name=name,
            home=home_of_all(),
            on_row=lambda row: console.print(report.line(row), highlight=False),
        )
    if as_json:
        print_json(report.to_json(result.rows))
    else:
        console.print(report.table(result.rows))
    for text in (*report.caption(result), *report.remarks(result.rows)):
        console.print(text, highlight=False)
    expected = Verdict(expect)
    console.print(report.headline(verdict(result.rows), expected), style="bold")
    context.exit(exit_code(result.rows, expected))
