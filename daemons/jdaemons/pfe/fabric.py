"""The way between the packet engines of one router: a pair of datagram sockets for each FPC.

An engine reads from its own pair and writes into those of the others. A frame on the fabric has in
place of its MACs the next hop's ID and the number of the FPC it comes from; the IP packet in it has been
routed and its hops counted, the engine that gets it finds the neighbour and transmits. Both ends lie in
the descriptor store, so that packets for an engine that restarts wait for it.
"""

from __future__ import annotations

import contextlib
import socket
from typing import Final

from jdaemons.pfe.mmsg import Receiver, Transmitter
from jdaemons.pfe.ports.port import Store, adopt, enlarge

RETRY_NS: Final = 200_000_000


class Fabric:
    """One engine's ends."""

    def __init__(self, fpc: int, store: Store) -> None:
        self._store = store
        self._in: Final = self._own_end(fpc)
        self._out: dict[int, socket.socket] = {}
        self._looked: dict[int, int] = {}

    def fileno(self) -> int:
        """Readable when packets from other FPCs wait."""
        return self._in.fileno()

    def receive(self, receiver: Receiver) -> int:
        """A batch of them."""
        return receiver.receive(self._in.fileno())

    def send_batch(self, fpc: int, transmitter: Transmitter, count: int, now: int) -> int:
        """Hand over what is lined up; how many packets went."""
        end = self._other_end(fpc, now)
        sent = 0
        while end is not None and sent < count:
            try:
                taken = transmitter.send(end.fileno(), sent)
            except OSError:
                break
            if not taken:
                break
            sent += taken
        return sent

    def send(self, fpc: int, frame: bytes, now: int) -> bool:
        """Hand over one packet; False when it could not be."""
        end = self._other_end(fpc, now)
        if end is None:
            return False
        try:
            end.send(frame, socket.MSG_DONTWAIT)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Close this process's descriptors."""
        for sock in (self._in, *self._out.values()):
            sock.close()

    def _own_end(self, fpc: int) -> socket.socket:
        """What others write to this FPC. Nobody but this FPC's engine makes the pair."""
        keys = (f"fabric/{fpc}/in", f"fabric/{fpc}/out")
        ends = [self._store.get(key) for key in keys]
        if ends[0] is not None and ends[1] is not None:
            socket.close(ends[1])
            return adopt(ends[0])
        # A predecessor died between the two: nobody can have used half a pair.
        for key, end in zip(keys, ends, strict=True):
            if end is not None:
                socket.close(end)
            self._store.drop(key)
        pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        for key, sock in zip(keys, pair, strict=True):
            enlarge(sock)
            self._store.put(key, sock.fileno())
        pair[1].close()
        pair[0].setblocking(False)
        return pair[0]

    def _other_end(self, fpc: int, now: int) -> socket.socket | None:
        if fpc not in self._out and self._looked.get(fpc, now - RETRY_NS) <= now - RETRY_NS:
            self._looked[fpc] = now
            with contextlib.suppress(OSError):
                end = self._store.get(f"fabric/{fpc}/out")
                if end is not None:
                    self._out[fpc] = adopt(end)
        return self._out.get(fpc)
