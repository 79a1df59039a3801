"""Many frames in one system call: recvmmsg and sendmmsg through ctypes, over numpy columns.

Frames are received into the engine's segment and never written to there: headers are copied, rewritten
and sent from the copy, the rest of the frame from where it came in. So a batch that a killed engine
leaves behind can be worked on again from the start. The message headers lie in the segment too; the
kernel writes each length as it hands a frame over, so that not even a kill inside the call loses one.
"""

from __future__ import annotations

import ctypes
import errno
import socket
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from jdaemons.pfe.segment import BATCH, MESSAGE, SLOT

HEAD: Final = 64
"""Octets of a frame that the vector path sees and rewrites: Ethernet and either IP header."""
_TRANSIENT: Final = (errno.EAGAIN, errno.ENOBUFS, errno.EINTR)
_FLAGS: Final = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL


class Kernel:
    """The two calls."""

    def __init__(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._receive = libc.recvmmsg
        self._send = libc.sendmmsg
        self._send.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)
        self._receive.argtypes = (*self._send.argtypes, ctypes.c_void_p)

    def receive(self, fd: int, messages: int, count: int) -> int:
        """Frames received into the messages at that address; 0 when none waits. Raises OSError."""
        got: int = self._receive(fd, messages, count, socket.MSG_DONTWAIT, None)
        return got if got >= 0 else _transient()

    def send(self, fd: int, messages: int, count: int) -> int:
        """Frames the socket took; 0 when it is full. Raises OSError."""
        sent: int = self._send(fd, messages, count, _FLAGS)
        return sent if sent >= 0 else _transient()


def _transient() -> int:
    code = ctypes.get_errno()
    if code in _TRANSIENT:
        return 0
    raise OSError(code, errno.errorcode.get(code, str(code)))


class Receiver:
    """Receives batches into frames and message headers that lie in the segment."""

    def __init__(self, kernel: Kernel, frames: NDArray[np.uint8], messages: NDArray[Any]) -> None:
        self.frames: Final = frames
        self._kernel = kernel
        self._messages = messages
        self._iovecs = np.zeros((BATCH, 2), np.uint64)
        self._iovecs[:, 0] = frames.ctypes.data + np.arange(BATCH) * SLOT
        self._iovecs[:, 1] = SLOT
        # Lengths stay: they may be a predecessor's.
        messages["iov"] = self._iovecs.ctypes.data + np.arange(BATCH) * 16
        messages["iov_length"] = 1
        self._address: Final = messages.ctypes.data

    def clear(self) -> None:
        """Forget the lengths of the last batch."""
        self._messages["length"] = 0

    def receive(self, fd: int, count: int = BATCH) -> int:
        """A batch from a socket; call `clear` first. Raises OSError."""
        return self._kernel.receive(fd, self._address, count)

    def set(self, row: int, length: int) -> None:
        """Note a frame that came in by another way."""
        self._messages["flags"][row] = 0
        self._messages["length"][row] = length

    def left_behind(self) -> int:
        """How many frames a predecessor received that was killed before it could count them."""
        lengths = self._messages["length"]
        return int(np.argmin(lengths != 0)) if (lengths == 0).any() else BATCH

    def lengths(self, count: int) -> NDArray[np.int64]:
        """Octets of each frame; -1 for one that was cut."""
        cut = (self._messages["flags"][:count] & socket.MSG_TRUNC) != 0
        return np.where(cut, -1, self._messages["length"][:count].astype(np.int64))


class Transmitter:
    """Sends rows of a batch: heads from the private copy, the rest from the segment."""

    def __init__(self, kernel: Kernel, heads: NDArray[np.uint8], frames: NDArray[np.uint8]) -> None:
        self._kernel = kernel
        self._heads = heads
        self._frames = frames
        self._head_base = heads.ctypes.data
        self._tail_base = frames.ctypes.data + HEAD
        self._iovecs = np.zeros((BATCH, 2, 2), np.uint64)
        self._messages = np.zeros(BATCH, MESSAGE)
        self._messages["iov"] = self._iovecs.ctypes.data + np.arange(BATCH) * 32
        self._messages["iov_length"] = 2
        self._address: Final = self._messages.ctypes.data
        self._rows: NDArray[np.intp] = np.zeros(0, np.intp)
        self._lengths: NDArray[np.int64] = np.zeros(0, np.int64)

    def prepare(self, rows: NDArray[np.intp], lengths: NDArray[np.int64]) -> None:
        """Line up these rows, so long each, for `send`."""
        count = len(rows)
        vectors = self._iovecs[:count]
        vectors[:, 0, 0] = self._head_base + rows * HEAD
        vectors[:, 1, 0] = self._tail_base + rows * SLOT
        head = np.minimum(lengths, HEAD)
        vectors[:, 0, 1] = head
        vectors[:, 1, 1] = lengths - head
        self._rows, self._lengths = rows, lengths

    def send(self, fd: int, first: int = 0) -> int:
        """Send what is lined up from `first` on; how many the socket took. Raises OSError."""
        return self._kernel.send(fd, self._address + first * 64, len(self._rows) - first)

    def frame(self, index: int) -> bytes:
        """One frame that is lined up."""
        row, length = int(self._rows[index]), int(self._lengths[index])
        tail = self._frames[row, HEAD : max(length, HEAD)].tobytes()
        return self._heads[row, : min(length, HEAD)].tobytes() + tail
