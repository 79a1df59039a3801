"""Whose files are whose, once each module has a uid: done by the newborn, while it is still root.

    HOME            0711 root            so that modules reach what is theirs, and list nothing
    HOME/config     0700 mgd             a folder that one role `owns`, with everything in it
    HOME/crash      0750 root:mgd        a folder that one role `lists`: the files in it stay root's alone
    HOME/log        1770 root:eventd     a role `keeps_files_in` it: others' files there stay theirs
    RUN             1731 root:PORTS      names in it stand; those with unix: ports may add to them
    RUN/jlaunchd    2710 root:INSTANCE   as modules' own folders
    RUN/NAME        2710 NAME:INSTANCE   all modules pass through; sockets get the instance's gid
    RUN/links.UID   0600 NAME            what the module made elsewhere (jsupervisor.links)

Nothing is followed: a module may have put a link where a folder was expected.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from typing import Final

from jsupervisor.containment.credentials import Identity
from jsupervisor.links import NOTES

PRIVATE_MODE: Final = 0o700
OWN_MODE: Final = 0o2710
SHARED_MODE: Final = 0o1770
LISTED_MODE: Final = 0o750
RUN_MODE: Final = 0o1731
PASSAGE_MODE: Final = 0o711
SUPERVISOR: Final = "jlaunchd"
NOT_OURS: Final = ".stderr"
"""In the name of what init and launchers write: never given away."""


class FolderError(Exception):
    """A folder is not what it must be; the text says which and why."""


def open_passage(home: str, run_dir: str, group: int, ports_group: int) -> None:
    """Let modules pass through the instance's folders, and reach jlaunchd's sockets; raises OSError."""
    os.chmod(home, PASSAGE_MODE)
    os.chown(run_dir, 0, ports_group)
    os.chmod(run_dir, RUN_MODE)
    supervisor = os.path.join(run_dir, SUPERVISOR)
    os.makedirs(supervisor, 0o700, exist_ok=True)
    _take(supervisor, 0, group, OWN_MODE)


def take_back(home: str) -> None:
    """Make everything root's again that modules with uids had; raises OSError.

    Even root may not open another's log for appending in a folder that two may write to (sysctl
    fs.protected_regular).
    """
    for name in ("config", "log", "crash"):
        path = os.path.join(home, name)
        if not os.path.isdir(path):
            continue
        status = os.lstat(path)
        if status.st_uid != 0 or stat.S_IMODE(status.st_mode) != PRIVATE_MODE:
            _give_all(path, 0)


def take_socket_folder(run_dir: str, name: str, identity: Identity) -> None:
    """Make RUN/NAME, which is there, the module's own; raises OSError."""
    _take(os.path.join(run_dir, name), identity.uid, identity.group, OWN_MODE)


def give(identity: Identity, owns: Iterable[str], keeps_files_in: Iterable[str]) -> None:
    """Hand over what a role owns, and its files among others'; raises OSError or FolderError."""
    for path in owns:
        _give_all(path, identity.uid)
    for path in keeps_files_in:
        _share(path, identity.uid)


def let_list(identity: Identity, paths: Iterable[str]) -> None:
    """Let it name the files in folders of root's; raises OSError or FolderError."""
    for path in paths:
        fd = _open(path, (0,))
        try:
            os.fchown(fd, 0, identity.uid)
            os.fchmod(fd, LISTED_MODE)
        finally:
            os.close(fd)


def make_notes(run_dir: str, identity: Identity | None) -> None:
    """Make the file where the module notes what it makes elsewhere; raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(notes_file(run_dir, identity), flags, 0o600)
    try:
        if identity is not None:
            os.fchown(fd, identity.uid, identity.uid)
    finally:
        os.close(fd)


def notes_file(run_dir: str, identity: Identity | None) -> str:
    """The path of that file."""
    return os.path.join(run_dir, NOTES if identity is None else f"{NOTES}.{identity.uid}")


def _give_all(path: str, uid: int) -> None:
    """A folder with everything in it, to one uid alone."""
    _take(path, uid, uid, PRIVATE_MODE)
    for _, names, files, fd in os.fwalk(path, follow_symlinks=False):
        for name in (*names, *files):
            os.chown(name, uid, uid, dir_fd=fd, follow_symlinks=False)


def _share(path: str, uid: int) -> None:
    """Let `uid` keep files in a folder of root's; those that are there and are nobody else's are its."""
    fd = _open(path, (0,))
    try:
        os.fchown(fd, 0, uid)
        os.fchmod(fd, SHARED_MODE)
        for name in os.listdir(fd):
            status = os.stat(name, dir_fd=fd, follow_symlinks=False)
            if stat.S_ISREG(status.st_mode) and status.st_uid == 0 and NOT_OURS not in name:
                os.chown(name, uid, uid, dir_fd=fd, follow_symlinks=False)
    finally:
        os.close(fd)


def _take(path: str, uid: int, gid: int, mode: int) -> None:
    fd = _open(path, None)
    try:
        os.fchown(fd, uid, gid)
        os.fchmod(fd, mode)
    finally:
        os.close(fd)


def _open(path: str, owners: tuple[int, ...] | None) -> int:
    """A folder, and no link to one; raises FolderError when another owns it."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    owner = os.fstat(fd).st_uid
    if owners is not None and owner not in owners:
        os.close(fd)
        raise FolderError(f"cannot use {path}: it belongs to uid {owner}; remove it")
    return fd
