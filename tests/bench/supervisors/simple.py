"""A supervisor of six lines and a program that puts a scenario to it, in a process of its own.

In the tests' own process the scenarios would end the children of other tests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from bench.supervisors import procfs, scenarios
from bench.supervisors.board import Board
from bench.supervisors.system import Site, System, end_descendants
from bench.supervisors.work import Work

from jsupervisor import linux

RESTARTS = """
import json, os, sys
commands, running = json.loads(sys.argv[1]), {}
for command in commands:
    running[os.spawnv(os.P_NOWAIT, command[0], command)] = command
while True:
    command = running.pop(os.wait()[0])
    running[os.spawnv(os.P_NOWAIT, command[0], command)] = command
"""


class Simple(System):
    """A loop around wait()."""

    policy: ClassVar[str] = "always"

    @classmethod
    def version(cls) -> str:
        return "0"

    def configure(self) -> None:
        pass

    def command(self) -> Sequence[str]:
        commands = json.dumps([work.command for work in self.site.works])
        return (sys.executable, "-I", "-S", "-c", RESTARTS, commands)


class Broken(Simple):
    """Ends with an error."""

    def command(self) -> Sequence[str]:
        return (sys.executable, "-I", "-S", "-c", "import sys; sys.exit('cannot do that')")


def main(scenario: str, options: dict[str, float], folder: str, trivial: str, kind: str) -> None:
    """Print the scenario's rows, and last how many processes of the run are left."""
    linux.become_subreaper()
    scenarios.SETTLE_SECONDS = 0.0  # type: ignore[misc]
    scenarios.OUTAGE_SECONDS = 0.3  # type: ignore[misc]
    scenarios.HANG_SECONDS = 0.2  # type: ignore[misc]
    with Board(Path(folder) / "board") as board:
        mark = f"test-scenarios-{os.getpid()}"
        works = tuple(
            Work(index=index, program=(trivial,), board=str(board.path), mark=mark)
            for index in range(3)
        )
        site = Site(folder=Path(folder), works=works, board=board, mark=mark)
        system = {"simple": Simple, "broken": Broken}[kind](site)
        stray = subprocess.Popen(["sleep", "600"])
        try:
            for row in scenarios.SCENARIOS[scenario](system, options):
                print(json.dumps(dict(row)))
        finally:
            system.stop()
            end_descendants()
            stray.poll()
            print(json.dumps({"left": len(procfs.marked(mark)) + procfs.lives(stray.pid)}))


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
