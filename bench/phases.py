"""Where the time of a restart goes: the steps between a kill and ready, from the stamps of a real router.

    delivered  init sends SIGKILL            granted     init grants the claim
    exit       init has reaped               loop        trio runs (sealed before)
    noticed    jlaunchd reads the notice     identified  certificate there, daemon made
    decided    the core has spoken           registered  both gRPC servers made
    reserved   the order is at init          serving     plain socket bound, said so
    told       the order is at the launcher  run         the daemon's own set-up is done
    forked     first fork                    rpc         RPC socket bound
    born       second fork                   synced      every gating feed is synced
    connected  log, folders, init reached    ready       said so
    entered    rules opened, uid changed
    bound      adopted by init, limits set

With a warm spare `called` and `woken` stand for the steps from told to bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from bench.tables import Row, numbers, summarise

from jsupervisor.testing import Router

STEPS: Final = (
    *("exit", "noticed", "decided", "reserved", "told", "forked", "born", "connected"),
    *("entered", "bound", "called", "woken", "granted", "loop", "identified", "registered"),
    *("serving", "run", "rpc", "synced", "ready"),
)


def take(router: Router, module: str) -> dict[str, float | str]:
    """Kill a module and wait until it is ready: when each step was reached, in ms after the signal."""
    with router.injection("kill", module) as injection:
        injection.deliver()
        injection.finish()
        exited = injection.recovery.detected_ns
    router.wait_ready()
    stamps = {"exit": exited, **router.phases(module)}
    began = injection.delivered_ns
    return {step: (stamps[step] - began) / 1e6 if step in stamps else "" for step in STEPS}


def medians(rows: Sequence[Row]) -> dict[str, float]:
    """The median time of each step that was reached."""
    found = {step: numbers(rows, step) for step in STEPS}
    return {step: summarise(values).median for step, values in found.items() if values}


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Lines of medians: when each step is reached, and what it took since the one before."""
    modules = list(dict.fromkeys(row["module"] for row in rows))
    columns = {
        module: medians([row for row in rows if row["module"] == module]) for module in modules
    }
    yield "".join(["step       ", *(f"{module:>18}" for module in modules)])
    before = dict.fromkeys(modules, 0.0)
    for step in STEPS:
        cells = [_cell(columns[module], step, before, module) for module in modules]
        if any(cell.strip() for cell in cells):
            yield "".join([f"{step:11}", *cells])


def _cell(column: Mapping[str, float], step: str, before: dict[str, float], module: str) -> str:
    if step not in column:
        return " " * 18
    since, before[module] = column[step] - before[module], column[step]
    return f"{column[step]:10.2f}{since:+8.2f}"
