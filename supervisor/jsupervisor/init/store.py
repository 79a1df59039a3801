"""Descriptors that outlive the processes that use them: the descriptor store.

A key is SHARE/WHAT; a module may use the shares that its reservation names. The store holds its own
duplicate of each descriptor, so that a memory file or a socket lives while nobody has it open.
"""

from __future__ import annotations

import os
import re
from typing import Final

from jsupervisor.init.table import Process, Refused

MAX_PER_SHARE: Final = 256
KEY: Final = re.compile(r"([A-Za-z0-9_.-]{1,32})/([A-Za-z0-9_./:-]{1,80})")


class Store:
    """Named descriptors, with a limit for each share."""

    def __init__(self) -> None:
        self._fds: dict[str, int] = {}

    def put(self, process: Process, key: str, fd: int) -> None:
        """Keep `fd` (owned from now on) as `key`; raises Refused when the key is taken."""
        share = _share_for(process, key)
        if key in self._fds:
            raise Refused(f"{key} exists")
        if sum(1 for known in self._fds if known.startswith(f"{share}/")) >= MAX_PER_SHARE:
            raise Refused(f"{share} has {MAX_PER_SHARE} descriptors, the most a share may have")
        self._fds[key] = fd

    def find(self, key: str) -> int:
        """The descriptor of `key`, still the store's, for the supervisor; -1 when there is none."""
        return self._fds.get(key, -1)

    def get(self, process: Process, key: str) -> int:
        """The descriptor of `key`, still the store's; raises Refused."""
        _share_for(process, key)
        if key not in self._fds:
            raise Refused(f"there is no {key}")
        return self._fds[key]

    def drop(self, process: Process, key: str) -> None:
        """Close `key`; raises Refused when there is none."""
        _share_for(process, key)
        if key not in self._fds:
            raise Refused(f"there is no {key}")
        os.close(self._fds.pop(key))

    def keys(self) -> list[str]:
        """All keys, in the order they came."""
        return list(self._fds)


def _share_for(process: Process, key: str) -> str:
    match = KEY.fullmatch(key)
    if match is None:
        raise Refused(f"{key!r} is not SHARE/WHAT")
    if match[1] not in process.shares:
        raise Refused(f"{process.name} may not use {match[1]}/")
    return match[1]
