"""What is supervised in a benchmark: a C program that does nothing, and a Python gRPC daemon.

Both take one argument that says where to stamp and how to say ready; `mark` in it names the run, so
that its processes can be counted whoever started them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

Kind = Literal["c", "python"]
FOLDER: Final = Path(__file__).resolve().parent
COMPILER: Final = "cc"


class NotToBeHad(Exception):
    """Something that a measurement needs is not there; the text says what and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One supervised program."""

    index: int
    program: tuple[str, ...]
    """What is executed, without the one argument."""
    board: str
    mark: str
    ready: str = "none"
    """"fd:N", "notify" or "none": how it says that it is ready."""
    beat_ms: int = 0
    """How often it says WATCHDOG=1; 0 for never."""

    @property
    def name(self) -> str:
        """Its name under every supervisor."""
        return f"w{self.index}"

    @property
    def spec(self) -> str:
        """Its one argument."""
        return (
            f"index={self.index},board={self.board},ready={self.ready},"
            f"beat={self.beat_ms},mark={self.mark}"
        )

    @property
    def command(self) -> tuple[str, ...]:
        """The whole command."""
        return (*self.program, self.spec)

    @property
    def script(self) -> str:
        """A run script that becomes the program with as little as possible in between."""
        if len(self.program) == 1:
            return f"#!{self.program[0]} {self.spec}\n"
        return f"#!/bin/sh\nexec {' '.join(self.command)}\n"


def build(folder: Path) -> Path:
    """Compile the C program into `folder`; raises NotToBeHad without a compiler."""
    if shutil.which(COMPILER) is None:
        raise NotToBeHad(f"no C compiler ({COMPILER}) on this machine")
    target = folder / "trivial"
    command = [COMPILER, "-O2", "-static", "-o", str(target), str(FOLDER / "trivial.c")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        why = (result.stderr.strip().splitlines() or ["?"])[-1]
        raise NotToBeHad(f"cannot compile the C program: {why}")
    return target


def program(kind: Kind, folder: Path) -> tuple[str, ...]:
    """What is executed for a kind of work; raises NotToBeHad."""
    if kind == "c":
        return (str(build(folder)),)
    return (sys.executable, str(FOLDER / "pydaemon.py"))
