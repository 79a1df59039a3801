"""What an instance made outside its own folders: network interfaces, and sockets at paths of the user's.

They outlive every process, so whoever makes one notes it in the file `links` of the run folder (a module
with a uid of its own in `links.UID`, which was made for it), and whoever removes that folder (init at its
end, or the next command after init's death) removes them. A note of another uid is believed only as far
as that uid could have gone itself: sockets that are its own, and interfaces with the names of ours.
A socket is known again by its inode and the time of its last change: init at its end still keeps
the listening descriptor, and somebody else may have put another socket in the place of a dead one.
Standard library alone, since init does it.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
import struct
from pathlib import Path
from typing import Final

NOTES: Final = "links"
OUR_INTERFACES: Final = "js"
"""How the names of interfaces begin that ports make (jdaemons.pfe.ports.devices)."""
_DELLINK: Final = 17
_REQUEST_ACK: Final = 0x1 | 0x4
_IFNAME: Final = 3
_HEADER: Final = struct.Struct("=IHHII")
_IFINFO: Final = struct.Struct("=BxHiII")
_ERROR: Final = 2


def note_interface(run_dir: str, name: str) -> None:
    """Note an interface that is about to be made."""
    _note(run_dir, f"interface {name}")


def note_socket(run_dir: str, path: str) -> None:
    """Note a listening socket that was made."""
    _note(run_dir, f"socket {_identity(os.lstat(path))} {path}")


def remove_noted(run_dir: str | Path) -> None:
    """Remove everything that is noted and still there; never somebody else's live socket."""
    for file in sorted(Path(run_dir).glob(f"{NOTES}*")):
        try:
            owner = os.lstat(file).st_uid
            lines = file.read_text().splitlines()
        except OSError:
            continue
        for line in dict.fromkeys(lines):
            _remove(line, None if owner == os.geteuid() else owner)


def _remove(line: str, owner: int | None) -> None:
    """What one line names; with an `owner`, only if it may be that uid's."""
    kind, _, name = line.partition(" ")
    if kind == "interface" and (owner is None or name.startswith(OUR_INTERFACES)):
        _remove_interface(name)
    elif kind == "socket":
        identity, _, path = name.partition(" ")
        _remove_socket(path, identity, owner)


def attribute(kind: int, payload: bytes) -> bytes:
    """One netlink attribute, padded."""
    length = 4 + len(payload)
    return struct.pack("=HH", length, kind) + payload + bytes(-length % 4)


def link_request(kind: int, flags: int, attributes: bytes, index: int = 0, up: int = 0) -> None:
    """Ask the kernel about a link (rtnetlink) and wait for its answer; raises OSError.

    `up` are interface flags to set.
    """
    body = _IFINFO.pack(socket.AF_UNSPEC, 0, index, up, up) + attributes
    header = _HEADER.pack(_HEADER.size + len(body), kind, _REQUEST_ACK | flags, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0) as netlink:
        netlink.bind((0, 0))
        netlink.send(header + body)
        answer = netlink.recv(65536)
    if _HEADER.unpack_from(answer)[1] == _ERROR:
        (code,) = struct.unpack_from("=i", answer, _HEADER.size)
        if code:
            raise OSError(-code, os.strerror(-code))


def _note(run_dir: str, line: str) -> None:
    path = os.path.join(run_dir, NOTES)
    own = f"{path}.{os.geteuid()}"
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
    notes = os.open(own if os.path.exists(own) else path, flags, 0o600)
    try:
        os.write(notes, f"{line}\n".encode())
    finally:
        os.close(notes)


def _remove_interface(name: str) -> None:
    try:
        link_request(_DELLINK, 0, attribute(_IFNAME, name.encode() + b"\0"))
    except OSError:
        # It is gone already, in another namespace, or we may not: nothing more can be done here.
        pass


def _remove_socket(path: str, identity: str, owner: int | None) -> None:
    try:
        status = os.lstat(path)
        if not stat.S_ISSOCK(status.st_mode) or owner not in (None, status.st_uid):
            return
        if _identity(status) == identity or _nobody_listens(path):
            os.unlink(path)
    except OSError:
        pass


def _identity(status: os.stat_result) -> str:
    return f"{status.st_dev}:{status.st_ino}:{status.st_ctime_ns}"


def _nobody_listens(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC) as probe:
        probe.setblocking(False)
        return probe.connect_ex(path) == errno.ECONNREFUSED
