"""A started instance from its boot to its end: what `start` and `supervise` have in common."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Final

from jsupervisor.boot import Booted
from jsupervisor.cli.errors import CliError
from jsupervisor.cli.foreground import Foreground, InitEnded, Signals, say
from jsupervisor.observer.status import InstanceStatus
from jsupervisor.paths import Instance

BOOT_SECONDS: Final = 120.0
"""How long --detach waits; a module that fails ends it much sooner."""


def follow(booted: Booted, signals: Signals, *, detach: bool, hints: Sequence[str]) -> None:
    """To the end of the boot, or with the instance to its end; `hints` are commands to try."""
    name, began = booted.instance.name, time.monotonic()
    foreground = Foreground(booted, signals, say)
    try:
        status = foreground.boot(began + BOOT_SECONDS if detach else None)
        if status is not None:
            for line in arrival(booted.instance, status, time.monotonic() - began, hints):
                say(line)
            if detach:
                return
            if sys.stdout.isatty():
                foreground.live()
            else:
                foreground.watch()
        elif detach:
            raise CliError(f"cannot finish: interrupted; {name} is stopped")
        code = foreground.stop(say)
        if code:
            raise CliError(f"cannot stop {name} in order: it was killed")
        say(f"{name} stopped")
    except InitEnded as end:
        if end.status:
            raise
        say(f"{name} stopped")
    finally:
        foreground.close()


def arrival(
    chosen: Instance, status: InstanceStatus, seconds: float, hints: Sequence[str]
) -> list[str]:
    """What is said when everything is up: where things are, and what to do next."""
    option = "" if chosen.name == "default" else f" --name {chosen.name}"
    count = f"{len(status.modules)} module{'s' if len(status.modules) != 1 else ''}"
    first, *others = [f"jsupervisor {hint}{option}" for hint in hints]
    down = [f"{module.name} ({module.state})" for module in status.modules if module.state != "up"]
    return [
        f"{chosen.name} is up: {status.profile}, {count} after {seconds:.2f} s",
        *([f"  not up   {', '.join(down)}"] if down else []),
        f"  logs     {chosen.log_dir}",
        f"  sockets  {chosen.run_dir}",
        f"  next     {first}",
        *(f"           {other}" for other in others),
    ]
