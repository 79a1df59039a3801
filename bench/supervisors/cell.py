"""One measurement of one system, as a program: its rows go to stdout, one JSON object a line.

Its argument is a JSON object: system, scenario, kind, count (programs), options (of the scenario)
and folder, which is removed by the caller.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.supervisors import system as systems
from bench.supervisors.adoption import adoption, saturation
from bench.supervisors.board import Board
from bench.supervisors.catalogue import SYSTEMS
from bench.supervisors.scenarios import SCENARIOS, Options
from bench.supervisors.system import Site, System
from bench.supervisors.work import Kind, Work, program

from jsupervisor import linux

ALL: Final = {**SCENARIOS, "adoption": adoption, "saturation": saturation}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be measured."""

    system: str
    scenario: str
    kind: Kind
    count: int
    options: Options
    folder: str


def make(request: Request, board: Board) -> System:
    """The system with its programs, not yet started; raises NotToBeHad."""
    chosen = SYSTEMS[request.system]
    mark = f"jsup-bench-{os.getpid()}-{time.monotonic_ns():x}"
    path = program(request.kind, Path(request.folder))
    works = tuple(
        Work(
            index=index,
            program=path,
            board=str(board.path),
            mark=mark,
            ready=chosen.ready,
            beat_ms=chosen.beat_ms,
        )
        for index in range(request.count)
    )
    return chosen(Site(folder=Path(request.folder), works=works, board=board, mark=mark))


def run(request: Request) -> int:
    """Measure and print; nothing that was started is left."""
    linux.become_subreaper()
    _forget_our_path()
    with Board(Path(request.folder) / "board") as board:
        system = make(request, board)
        try:
            for row in ALL[request.scenario](system, request.options):
                print(json.dumps(dict(row)), flush=True)
        finally:
            system.stop()
            systems.end_descendants()
    return 0


def _forget_our_path() -> None:
    """What is supervised is to search no more folders than it would elsewhere."""
    rest = os.environ.get("PYTHONPATH", "").partition(os.pathsep)[2]
    if rest:
        os.environ["PYTHONPATH"] = rest
    else:
        os.environ.pop("PYTHONPATH", None)


def parse(argument: Mapping[str, object]) -> Request:
    """The request of a JSON object; raises TypeError for a wrong one."""
    return Request(**argument)  # type: ignore[arg-type]


if __name__ == "__main__":
    sys.exit(run(parse(json.loads(sys.argv[1]))))
