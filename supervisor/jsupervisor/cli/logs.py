"""`jsupervisor logs`: the lines that eventd has collected, or what a module wrote to its stderr.

Reads files, so that it works when eventd, or the whole instance, is dead.
"""

from __future__ import annotations

import os
import re
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

import click

from jsupervisor.cli.common import find_instance, name_option, require_existing
from jsupervisor.cli.complete import known_modules, module_names
from jsupervisor.cli.errors import WRONG, CliError, refused
from jsupervisor.cli.naming import NameProblem, resolve
from jsupervisor.paths import Instance
from jsupervisor.runtime import rotate

MESSAGES: Final = "messages"
LINES: Final = 20
LOOK_SECONDS: Final = 0.1

Wanted = Callable[[str], bool]


class Follower:
    """Reads the whole lines that a file has gained; goes over to its successor when it is rotated."""

    def __init__(self, path: Path, *, from_end: bool = False) -> None:
        self._path = path
        self._file: IO[bytes] | None = None
        self._rest = b""
        if from_end and (file := self._open()) is not None:
            file.seek(0, os.SEEK_END)

    def lines(self) -> list[str]:
        """What is new since the last call, without waiting."""
        found = self._read()
        if self._rotated():
            self.close()
            found += self._read()
        return found

    def _open(self) -> IO[bytes] | None:
        if self._file is None:
            try:
                self._file = self._path.open("rb")
            except FileNotFoundError:
                return None
        return self._file

    def _read(self) -> list[str]:
        file = self._open()
        if file is None:
            return []
        # What was rotated away before we came to it reads as zeros.
        *whole, self._rest = (self._rest + file.read().replace(b"\0", b"")).split(b"\n")
        return [line.decode(errors="replace") for line in whole]

    def _rotated(self) -> bool:
        if self._file is None:
            return False
        try:
            return not os.path.samestat(self._path.stat(), os.fstat(self._file.fileno()))
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Close the file; the next call begins with its successor."""
        if self._file is not None:
            self._file.close()
            self._file, self._rest = None, b""


def about(module: str | None) -> Wanted:
    """Does a line of `messages` come from the module?"""
    if module is None:
        return lambda _: True
    # Nov 23 08:55:43  r1 rpd[4711]: TAG: text
    pattern = re.compile(rf"\S+ +\d+ [\d:]+ +\S+ {re.escape(module)}\[\d+\]:")
    return lambda line: pattern.match(line) is not None


def last_lines(path: Path, count: int, wanted: Wanted) -> list[str]:
    """The last lines of a log and, when it is too short, of its predecessor."""
    found: deque[str] = deque(maxlen=count)
    for number in (0, None):
        lines = (line.decode(errors="replace") for line in rotate.lines(path, number))
        found.extend(line for line in lines if wanted(line))
    return list(found)


def follow(follower: Follower, wanted: Wanted) -> Iterator[str]:
    """New lines, for ever."""
    while True:
        yield from filter(wanted, follower.lines())
        time.sleep(LOOK_SECONDS)


@click.command(epilog="Example: jsupervisor logs rpd -n 50 -f")
@click.argument("module", required=False, shell_complete=module_names)
@name_option
@click.option("-f", "--follow", "following", is_flag=True, help="Go on with lines as they come.")
@click.option(
    "-n", "count", type=click.IntRange(0), default=LINES, show_default=True, metavar="N",
    help="The last N lines.",
)  # fmt: skip
@click.option("--stderr", is_flag=True, help="What MODULE wrote to stderr, e.g. its traceback.")
def logs(module: str | None, name: str, following: bool, count: int, stderr: bool) -> None:
    """Print the log of all modules, or of MODULE alone."""
    chosen = require_existing(find_instance(name))
    path, wanted = _source(chosen, module, stderr)
    follower = Follower(path, from_end=True)
    try:
        for line in last_lines(path, count, wanted):
            print(line)
        if following:
            for line in follow(follower, wanted):
                print(line, flush=True)
    except KeyboardInterrupt:
        if not following:
            raise
    finally:
        follower.close()


def _source(chosen: Instance, module: str | None, stderr: bool) -> tuple[Path, Wanted]:
    if module is None:
        if stderr:
            raise CliError("cannot show stderr: say of which module", WRONG)
        return chosen.log_dir / MESSAGES, about(None)
    keepers = [(each,) * 3 for each in ("jlaunchd", "launcher", "init")]
    with refused(WRONG, NameProblem):
        unique = resolve(module, [*known_modules(chosen), *keepers], "show the log of")
    if stderr:
        return chosen.log_dir / f"{unique}.stderr", about(None)
    return chosen.log_dir / MESSAGES, about(unique)
