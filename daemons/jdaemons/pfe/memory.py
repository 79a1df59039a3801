"""Memory files shared by engine and pfectl: whoever comes first makes them, init keeps them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

from jdaemons.pfe.layout import ImageError
from jsupervisor.runtime.lean import DescriptorExists, LeanHost

Mapped = TypeVar("Mapped")


def memory_file(key: str) -> int:
    """A new, empty memory file that is named after its key."""
    return os.memfd_create(key, os.MFD_CLOEXEC)


def obtain(host: LeanHost, key: str, map_file: Callable[[int], Mapped]) -> Mapped:
    """Map what is kept as `key`, making it when there is none or one of another version."""
    while True:
        fd = host.get(key)
        if fd is None:
            fd = memory_file(key)
            try:
                host.put(key, fd)
            except DescriptorExists:
                os.close(fd)
                continue
        try:
            return map_file(fd)
        except ImageError:
            host.drop(key)
        finally:
            os.close(fd)
