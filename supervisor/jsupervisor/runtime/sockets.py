"""Where a module's sockets stand: in a folder of its own, files of its incarnation behind a stable link.

    RUN/rpd/plain.sock -> plain.7.sock     health and reflection, for the instance's owner
    RUN/rpd/rpc.sock   -> rpc.7.sock       everything else, for callers with an identity

Two gRPC servers on one path take each other's calls, and the older one's stop deletes the newer one's
file. So each incarnation has files of its own; renaming a link over the stable name is atomic, and
clients, which connect by the stable name, find whoever is there now.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from typing import Final

from jsupervisor.paths import RPC, module_folder, socket_path

MAX_PATH: Final = 107
"""Octets in a unix socket's path (unix(7): sun_path, less its end)."""
REHEARSAL: Final = 0
"""The incarnation of nobody: its sockets get no stable name."""
_OF_INCARNATION: Final = re.compile(r"\.?[a-z]+\.(\d+)(?:\.\d+)?\.sock")


class SocketPathError(Exception):
    """A socket cannot stand at its path; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Place:
    """One socket of one incarnation."""

    run_dir: str
    module: str
    kind: str
    """paths.PLAIN or paths.RPC."""
    incarnation: int
    hidden: int = 0
    """From 1 on: behind a doorman (`jsupervisor.runtime.doorman`), the so many-th of this incarnation,
    with a file of its own and no name for others."""

    @property
    def path(self) -> str:
        """The socket's own file; raises SocketPathError when it is too long."""
        path = socket_path(self.run_dir, self.module, self.kind, self.incarnation)
        if self.hidden:
            folder = os.path.dirname(path)
            path = f"{folder}/.{self.kind}.{self.incarnation}.{self.hidden}.sock"
        if (size := len(os.fsencode(path))) > MAX_PATH:
            raise SocketPathError(
                f"cannot make the socket {path}: {size} octets, {MAX_PATH} at most;"
                " set XDG_RUNTIME_DIR to a shorter folder"
            )
        return path

    @property
    def link(self) -> str:
        """The stable name."""
        return socket_path(self.run_dir, self.module, self.kind)

    @property
    def _file(self) -> str:
        return f"{self.kind}.{self.incarnation}.sock"

    def publish(self) -> None:
        """Let the stable name mean this incarnation; raises OSError."""
        if self.hidden or self.incarnation == REHEARSAL:
            return
        self._let_others_in()
        temporary = f"{self.link}.{self.incarnation}"
        try:
            os.unlink(temporary)
        except FileNotFoundError:
            pass
        os.symlink(self._file, temporary)
        os.rename(temporary, self.link)

    def _let_others_in(self) -> None:
        """Where modules have uids of their own, their folders have the gid that all share."""
        folder = module_folder(self.run_dir, self.module)
        if self.kind == RPC and os.stat(folder).st_mode & stat.S_ISGID:
            os.chmod(self.path, 0o660)

    def withdraw(self) -> None:
        """Remove the stable name if it still means this incarnation, and the socket's file."""
        try:
            if not self.hidden and os.readlink(self.link) == self._file:
                os.unlink(self.link)
        except OSError:
            pass
        try:
            os.unlink(self.path)
        except FileNotFoundError:
            pass


def sweep(run_dir: str, module: str, incarnation: int) -> None:
    """Remove the files of the module's older incarnations."""
    folder = module_folder(run_dir, module)
    for entry in os.listdir(folder):
        match = _OF_INCARNATION.fullmatch(entry)
        if match and int(match[1]) < incarnation:
            try:
                os.unlink(os.path.join(folder, entry))
            except FileNotFoundError:
                pass
