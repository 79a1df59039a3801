"""`jsupervisor export otlp`: an instance's events, restarts and metrics, sent to a collector."""

from __future__ import annotations

import signal
import sys
from typing import ClassVar, Final

import click

from jsupervisor.cli.common import find_instance, group_name_option, name_option, require_existing
from jsupervisor.cli.errors import FAILED, WRONG, CliError, refused
from jsupervisor.cli.lazy import LazyGroup

MISSING: Final = "cannot export: pip install 'jsupervisor[otel]'"
EXTRA: Final = ("opentelemetry", "prometheus_client")


class _Export(LazyGroup):
    places: ClassVar = {"otlp": "jsupervisor.cli.export:otlp"}


@click.group(
    cls=_Export, epilog="Example: jsupervisor export otlp --endpoint http://127.0.0.1:4318"
)
@group_name_option
def export() -> None:
    """Send what happens to somebody else."""


@click.command(epilog="Example: jsupervisor export otlp --endpoint http://127.0.0.1:4318")
@name_option
@click.option(
    "--endpoint", required=True, metavar="URL", help="The collector, e.g. http://127.0.0.1:4318."
)
@click.option(
    "--protocol",
    type=click.Choice(["http", "grpc"]),
    default="http",
    show_default=True,
    help="OTLP over HTTP with protobuf, or over gRPC.",
)
@click.option(
    "--interval", type=click.FloatRange(0.5, 3600), default=10.0, show_default=True,
    metavar="SECONDS", help="Between two scrapes of the metrics.",
)  # fmt: skip
def otlp(name: str, endpoint: str, protocol: str, interval: float) -> None:
    """Send events as logs, restarts as spans and metrics to an OpenTelemetry collector.

    A process of its own, which watches like `events` does: its end harms nobody. It ends with the instance.
    """
    if not endpoint.startswith(("http://", "https://")):
        raise CliError(f"cannot export to {endpoint!r}: write http://HOST:PORT", WRONG)
    try:
        from jsupervisor.export.exporter import Exporter
        from jsupervisor.export.otlp import Collector
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in EXTRA:
            raise CliError(MISSING, FAILED) from error
        raise
    from jsupervisor.observer.operator import OperatorError

    chosen = require_existing(find_instance(name))
    resource = {"service.instance.id": chosen.name}
    collector = Collector(endpoint, resource, _say, grpc=protocol == "grpc")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with refused(FAILED, OperatorError):
            Exporter(chosen, collector, interval, _say).run()
    except KeyboardInterrupt:
        pass
    finally:
        collector.close()


def _say(text: str) -> None:
    print(f"jsupervisor: {text}", file=sys.stderr, flush=True)
