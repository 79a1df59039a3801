"""The messages that processes exchange with init, and a connection that carries them.

init must stay small, start at once and depend on nothing, so this is not gRPC: one datagram on a
SEQPACKET socket is one message, a version byte followed by a JSON object, and descriptors ride
along as SCM_RIGHTS. Both ends use this module; it imports the standard library alone.
"""

from __future__ import annotations

import array
import json
import socket
from collections.abc import Mapping, Sequence
from typing import Final

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
Message = dict[str, Json]

VERSION: Final = b"1"
MAX_MESSAGE: Final = 192 * 1024
MAX_DESCRIPTORS: Final = 8


class MessageError(Exception):
    """A message is not one of ours: too long, another version, or not a JSON object.

    A server drops the sender and goes on; a client should say that the two sides differ.
    """


def encode(message: Mapping[str, Json]) -> bytes:
    """The bytes of one message; raises MessageError when they are more than MAX_MESSAGE."""
    data = VERSION + json.dumps(message, separators=(",", ":")).encode()
    if len(data) > MAX_MESSAGE:
        raise MessageError(f"cannot send a message of {len(data)} bytes: {MAX_MESSAGE} at most")
    return data


def decode(data: bytes) -> Message:
    """The message in `data`; raises MessageError when there is none."""
    if data[:1] != VERSION:
        raise MessageError(f"cannot read a message of version {data[:1]!r}: this is {VERSION!r}")
    try:
        message = json.loads(data[1:])
    except (ValueError, RecursionError) as error:
        raise MessageError(f"cannot read a message: {error}") from error
    if not isinstance(message, dict):
        raise MessageError("cannot read a message: not a JSON object")
    return message


class Connection:
    """One end of a SEQPACKET socket; owns the socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    @classmethod
    def open(cls, path: str, timeout: float | None = None) -> Connection:
        """Connect to the socket at `path`; raises OSError. `timeout` in seconds holds from then on."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
        try:
            sock.settimeout(timeout)
            sock.connect(path)
        except BaseException:
            sock.close()
            raise
        return cls(sock)

    def fileno(self) -> int:
        """The socket's descriptor, for select and poll."""
        return self._sock.fileno()

    def settimeout(self, seconds: float | None) -> None:
        """As of socket: None blocks, 0 raises BlockingIOError instead of waiting."""
        self._sock.settimeout(seconds)

    def send(self, message: Mapping[str, Json], fds: Sequence[int] = ()) -> None:
        """Send one message; raises MessageError or OSError."""
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        self._sock.sendmsg([encode(message)], rights, socket.MSG_NOSIGNAL)

    def receive(self) -> tuple[Message, list[int]] | None:
        """The next message and the descriptors that came with it; None when the peer is gone.

        Raises MessageError (descriptors closed, the message skipped) or OSError.
        """
        space = socket.CMSG_SPACE(MAX_DESCRIPTORS * array.array("i").itemsize)
        data, ancillary, flags, _ = self._sock.recvmsg(MAX_MESSAGE, space, socket.MSG_CMSG_CLOEXEC)
        fds: list[int] = []
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                received = array.array("i")
                received.frombytes(payload[: len(payload) - len(payload) % received.itemsize])
                fds.extend(received)
        if not data:
            _close_all(fds)
            return None
        try:
            if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
                raise MessageError("cannot read a message: it was cut short")
            return decode(data), fds
        except MessageError:
            _close_all(fds)
            raise

    def request(self, message: Mapping[str, Json], fds: Sequence[int] = ()) -> Message:
        """Send and return the next message; for peers to which nothing is pushed.

        Raises ConnectionError when the peer is gone.
        """
        self.send(message, fds)
        answer = self.receive()
        if answer is None:
            raise ConnectionError("the peer closed the connection")
        _close_all(answer[1])
        return answer[0]

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()


def _close_all(fds: Sequence[int]) -> None:
    for fd in fds:
        socket.close(fd)
