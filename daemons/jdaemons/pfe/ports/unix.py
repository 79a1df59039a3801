"""A port on a unix SEQPACKET socket: the router listens, one peer connects, one message is one frame.

The link is up exactly while a peer is connected. Listener and connection are both kept in the store:
a peer does not notice that the engine was restarted.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import stat
from typing import Final

from jdaemons.pfe.mmsg import Receiver, Transmitter
from jdaemons.pfe.ports.port import Port, PortError, Store, adopt, enlarge
from jsupervisor.links import note_socket
from jsupervisor.runtime.portspec import UnixSpec

_GONE: Final = select.POLLHUP | select.POLLRDHUP | select.POLLERR


class UnixPort(Port):
    """A listener and at most one connection."""

    def __init__(self, name: str, spec: UnixSpec, key: str, store: Store, run_dir: str) -> None:
        """Adopt what is kept or listen; raises PortError."""
        super().__init__(name)
        self._store = store
        self._peer_key = f"{key}/peer"
        kept = store.get(f"{key}/listener")
        self._listener: Final = adopt(kept) if kept is not None else _listen(spec.path)
        if kept is None:
            note_socket(run_dir, spec.path)
            store.put(f"{key}/listener", self._listener.fileno())
        peer = store.get(self._peer_key)
        self._peer = adopt(peer) if peer is not None else None
        self.up = self._peer is not None

    def events(self) -> dict[int, int]:
        """The listener, and the peer."""
        found = {self._listener.fileno(): int(select.EPOLLIN)}
        if self._peer is not None:
            found[self._peer.fileno()] = self.mask()
        return found

    def receive(self, fd: int, receiver: Receiver) -> int:
        """Frames that wait; or a peer that comes or goes."""
        if fd == self._listener.fileno():
            self._accept()
            return 0
        if self._peer is None:
            return 0
        try:
            count = receiver.receive(fd)
        except OSError:
            self._lose()
            return 0
        # A message of no octets is a peer's nonsense, unless the connection has ended.
        lengths = receiver.lengths(count)
        if count and lengths[-1] == 0 and _ended(fd):
            self._lose()
            while count and lengths[count - 1] == 0:
                count -= 1
        return count

    def send_batch(self, transmitter: Transmitter, first: int) -> int:
        """As many as the socket takes."""
        if self._peer is None:
            return 0
        try:
            return transmitter.send(self._peer.fileno(), first)
        except OSError:
            # What the peer sent before it left is still to be read; its end comes after that.
            return 0

    def send_one(self, frame: bytes) -> bool:
        """False when the socket is full."""
        if self._peer is None:
            return False
        try:
            self._peer.send(frame, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def close(self) -> None:
        """Close both; the store's stay."""
        self._listener.close()
        if self._peer is not None:
            self._peer.close()

    def _accept(self) -> None:
        try:
            peer, _ = self._listener.accept()
        except OSError:
            return
        if self._peer is not None:
            if not _ended(self._peer.fileno()):
                peer.close()
                return
            self._lose()
        peer.setblocking(False)
        enlarge(peer)
        self._store.put(self._peer_key, peer.fileno())
        self._peer = peer
        self.set_up(True)

    def _lose(self) -> None:
        assert self._peer is not None
        self._store.drop(self._peer_key)
        self._peer.close()
        self._peer = None
        self.changed = True
        self.set_up(False)


def _ended(fd: int) -> bool:
    poll = select.poll()
    poll.register(fd, select.POLLRDHUP)
    return any(events & _GONE for _, events in poll.poll(0))


def _listen(path: str) -> socket.socket:
    sock = socket.socket(
        socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    )
    try:
        try:
            sock.bind(path)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            _remove_stale(path)
            sock.bind(path)
        sock.listen(4)
    except PortError:
        sock.close()
        raise
    except OSError as error:
        sock.close()
        raise PortError(f"cannot open port {path}: {error.strerror}") from error
    return sock


def _remove_stale(path: str) -> None:
    """Remove the socket of a dead listener; raises PortError for a live one and for other files."""
    if not stat.S_ISSOCK(os.lstat(path).st_mode):
        raise PortError(f"cannot open port {path}: the file exists and is not a socket")
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_CLOEXEC)
    probe.setblocking(False)
    try:
        probe.connect(path)
    except ConnectionRefusedError:
        os.unlink(path)
        return
    except OSError:
        pass
    finally:
        probe.close()
    raise PortError(f"cannot open port {path}: in use by another process")
