"""Where a module's sockets stand: files of its incarnation behind a stable link.

Two gRPC servers on one path take each other's calls, and the older one's stop deletes the newer one's
file. So each incarnation has files of its own; renaming a link over the stable name is atomic, and
clients, which connect by the stable name, find whoever is there now.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Final

MAX_PATH: Final = 107
"""Octets in a unix socket's path (unix(7): sun_path, less its end)."""


class SocketPathError(Exception):
    """A socket cannot stand at its path; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Place:
    """One socket of one incarnation."""

    folder: str
    name: str
    incarnation: int
    suffix: str
    """"sock" or "rpc.sock"."""

    @property
    def path(self) -> str:
        """The socket's own file; raises SocketPathError when it is too long."""
        path = os.path.join(self.folder, self._file)
        if (size := len(os.fsencode(path))) > MAX_PATH:
            raise SocketPathError(
                f"cannot make the socket {path}: {size} octets, {MAX_PATH} at most;"
                " set XDG_RUNTIME_DIR to a shorter folder"
            )
        return path

    @property
    def link(self) -> str:
        """The stable name."""
        return os.path.join(self.folder, f"{self.name}.{self.suffix}")

    @property
    def _file(self) -> str:
        return f"{self.name}.{self.incarnation}.{self.suffix}"

    def publish(self) -> None:
        """Let the stable name mean this incarnation; raises OSError."""
        temporary = f"{self.link}.{self.incarnation}"
        try:
            os.unlink(temporary)
        except FileNotFoundError:
            pass
        os.symlink(self._file, temporary)
        os.rename(temporary, self.link)

    def withdraw(self) -> None:
        """Remove the stable name if it still means this incarnation, and the socket's file."""
        try:
            if os.readlink(self.link) == self._file:
                os.unlink(self.link)
        except OSError:
            pass
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            pass


def sweep(folder: str, name: str, incarnation: int) -> None:
    """Remove the files of the module's older incarnations."""
    pattern = re.compile(re.escape(name) + r"\.(\d+)\.(rpc\.)?sock")
    for entry in os.listdir(folder):
        match = pattern.fullmatch(entry)
        if match and int(match[1]) < incarnation:
            try:
                os.unlink(os.path.join(folder, entry))
            except FileNotFoundError:
                pass
