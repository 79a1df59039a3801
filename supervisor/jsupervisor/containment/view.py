"""A private view of the file system for all modules of a launcher, where uids alone would lock them out.

Python, the instance's home and its sockets often lie beneath a folder that nobody but root enters
(/root, a private /tmp/jsup-0). A module with a uid of its own could not reach them, and to open such
a folder to everybody is not ours to do. So the launcher leaves the mount namespace that it was born
into, lays an empty file system over each such folder and binds into it just what modules need, at the
same paths. Whatever else was in there, modules do not see. It costs a millisecond, once for a launcher.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from typing import Final

from jsupervisor.containment import kernel

_NEW_MOUNTS: Final = 0x00020000
_RDONLY: Final = 1
_NOSUID: Final = 2
_NODEV: Final = 4
_REMOUNT: Final = 32
_BIND: Final = 4096
_REC: Final = 16384
_SLAVE: Final = 1 << 19
_OPTIONS: Final = "mode=0711,size=64k,nr_inodes=256"


class ViewError(Exception):
    """Modules could not reach what they need; the text says what is in the way."""


def closed_above(path: str) -> str | None:
    """The topmost folder above `path` that not everybody may pass; None when the way is free."""
    at = "/"
    for part in os.path.dirname(path).split("/")[1:]:
        if not os.stat(at).st_mode & stat.S_IXOTH:
            return at
        at = os.path.join(at, part)
    return at if not os.stat(at).st_mode & stat.S_IXOTH else None


def plan(wanted: Iterable[str]) -> dict[str, list[str]]:
    """What is to be covered, and what is to be bound into it. Paths that are not there are left out."""
    covers: dict[str, list[str]] = {}
    for path in sorted({os.path.realpath(each) for each in wanted}):
        cover = closed_above(path) if os.path.exists(path) else None
        if cover is None:
            continue
        inside = covers.setdefault(cover, [])
        if not any(path == known or path.startswith(f"{known}/") for known in inside):
            inside.append(path)
    return covers


def enter(covers: dict[str, list[str]]) -> None:
    """Give this process, and all it starts, that view; raises ViewError. Nothing is seen outside."""
    try:
        kernel.unshare(_NEW_MOUNTS)
        kernel.mount("", "/", "", _REC | _SLAVE)
        for cover, inside in covers.items():
            _cover(cover, inside)
    except OSError as error:
        names = ", ".join(covers)
        raise ViewError(
            f"{names} closed to other uids, and no private view: {error.strerror}"
        ) from error


def _cover(cover: str, inside: list[str]) -> None:
    sources = [os.open(path, os.O_PATH | os.O_CLOEXEC) for path in inside]
    try:
        kernel.mount("tmpfs", cover, "tmpfs", _NOSUID | _NODEV, _OPTIONS)
        for path, source in zip(inside, sources, strict=True):
            if stat.S_ISDIR(os.fstat(source).st_mode):
                _make_folders(path)
            else:
                _make_folders(os.path.dirname(path))
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
            kernel.mount(f"/proc/self/fd/{source}", path, "", _BIND | _REC)
        kernel.mount("", cover, "", _REMOUNT | _RDONLY | _NOSUID | _NODEV, _OPTIONS)
    finally:
        for source in sources:
            os.close(source)


def _make_folders(path: str) -> None:
    """The folder and all above it, which others may pass."""
    if not os.path.isdir(path):
        _make_folders(os.path.dirname(path))
        os.mkdir(path)
        os.chmod(path, 0o711)
