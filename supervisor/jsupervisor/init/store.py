"""Descriptors that outlive the processes that use them: the descriptor store.

A key is SHARE/WHAT; a module may use the shares that its reservation names. The store holds its own
duplicate of each descriptor, so that a memory file or a socket lives while nobody has it open.

NAME/identity is who NAME is to the others (`jsupervisor.runtime.identity`): the supervisor alone puts
it, and only the process that is NAME, or has NAME inside it, gets it. Nobody's share is jlaunchd or
operator, whatever a reservation says.
"""

from __future__ import annotations

import os
import re
from typing import Final

from jsupervisor.init.table import Process, Refused

MAX_PER_SHARE: Final = 256
KEY: Final = re.compile(r"([A-Za-z0-9_.-]{1,32})/([A-Za-z0-9_./:-]{1,80})")


IDENTITY: Final = "identity"
RESERVED: Final = frozenset({"jlaunchd", "operator"})


class Store:
    """Named descriptors, with a limit for each share."""

    def __init__(self) -> None:
        self._fds: dict[str, int] = {}

    def put(self, process: Process, key: str, fd: int) -> None:
        """Keep `fd` (owned from now on) as `key`; raises Refused when the key is taken."""
        share = _share_for(process, key)
        if _is_identity(key):
            raise Refused(f"{process.name} may not say who it is")
        if key in self._fds:
            raise Refused(f"{key} exists")
        if sum(1 for known in self._fds if known.startswith(f"{share}/")) >= MAX_PER_SHARE:
            raise Refused(f"{share} has {MAX_PER_SHARE} descriptors, the most a share may have")
        self._fds[key] = fd

    def entrust(self, key: str, fd: int) -> bool:
        """Keep `fd` for the supervisor, unless there is one; is it owned from now on?"""
        if KEY.fullmatch(key) is None:
            raise Refused(f"{key!r} is not SHARE/WHAT")
        return self._fds.setdefault(key, fd) == fd

    def find(self, key: str) -> int:
        """The descriptor of `key`, still the store's, for the supervisor; -1 when there is none."""
        return self._fds.get(key, -1)

    def get(self, process: Process, key: str) -> int:
        """The descriptor of `key`, still the store's; raises Refused."""
        if _is_identity(key):
            _require_own(process, key)
        else:
            _share_for(process, key)
        if key not in self._fds:
            raise Refused(f"there is no {key}")
        return self._fds[key]

    def drop(self, process: Process, key: str) -> None:
        """Close `key`; raises Refused when there is none."""
        _share_for(process, key)
        if _is_identity(key):
            raise Refused(f"{process.name} may not be without {key}")
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
    if match[1] not in process.shares or match[1] in RESERVED:
        raise Refused(f"{process.name} may not use {match[1]}/")
    return match[1]


def _is_identity(key: str) -> bool:
    return key.partition("/")[2] == IDENTITY


def _require_own(process: Process, key: str) -> None:
    """Raise Refused unless the identity is that of the process or of a module inside it."""
    parts = process.order.get("parts")
    listed = parts if isinstance(parts, list) else []
    inside = [part.get("name") for part in listed if isinstance(part, dict)]
    if key.partition("/")[0] not in {process.name, *inside} - RESERVED:
        raise Refused(f"{process.name} may not be {key.partition('/')[0]}")
