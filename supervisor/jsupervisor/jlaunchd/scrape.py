"""The HTTP side of the metrics: GET /metrics and /healthz, for whoever may reach the socket.

As little HTTP as a scraper needs (RFC 9112: one request, one answer, the connection closes). Each connection
has a deadline and there are at most so many; a client that is slow, silent or talks nonsense costs
one of them and a few KiB for a few seconds, and never makes anything else wait.
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import trio

from jsupervisor.jlaunchd.listen import parse_address

CONNECTIONS: Final = 16
"""At once; one more is answered 503 and closed."""
DEADLINE: Final = 5.0
"""Seconds from a connection to its end."""
MAX_HEAD: Final = 8192
RETRY_SECONDS: Final = 5.0
PLAIN: Final = "text/plain; charset=utf-8"

_REASONS: Final = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back."""

    status: int
    body: str
    content_type: str = PLAIN


Page = Callable[[], Awaitable[Answer]]


class _Refused(Exception):
    """A request that is answered with `status`."""

    def __init__(self, status: int) -> None:
        super().__init__(_REASONS[status])
        self.status = status


class ScrapeServer:
    """Serves the pages given, by path."""

    def __init__(self, pages: dict[str, Page]) -> None:
        self._pages = pages
        self._places = trio.CapacityLimiter(CONNECTIONS)

    async def serve_unix(self, path: Path) -> None:
        """Serve the owner on a unix socket in the place of a predecessor's, for ever."""
        path.parent.mkdir(mode=0o700, exist_ok=True)
        temporary = path.with_name(f"{path.name}.new")
        temporary.unlink(missing_ok=True)
        listener = trio.socket.socket(trio.socket.AF_UNIX, trio.socket.SOCK_STREAM)
        await listener.bind(str(temporary))
        os.chmod(temporary, 0o600)
        listener.listen(CONNECTIONS)
        temporary.replace(path)  # whoever sees the path can connect
        await self.serve(listener)

    async def serve_tcp(self, address: str, complain: Callable[[str], None]) -> None:
        """Serve an address, for ever; as long as it is another's, try again."""
        told = ""
        while True:
            try:
                listener = await _listen_tcp(address)
            except OSError as error:
                why = f"cannot listen on {address}: {error.strerror}; trying again"
                if why != told:
                    complain(why)
                told = why
                await trio.sleep(RETRY_SECONDS)
                continue
            await self.serve(listener)

    async def serve(self, listener: trio.socket.SocketType) -> None:
        """Answer whoever connects, for ever."""
        with listener:
            async with trio.open_nursery() as nursery:
                while True:
                    try:
                        sock, _ = await listener.accept()
                    except OSError:
                        await trio.sleep(0.1)  # no descriptor is free: one will be
                        continue
                    nursery.start_soon(self._converse, trio.SocketStream(sock))

    async def _converse(self, stream: trio.SocketStream) -> None:
        async with stream:
            with trio.move_on_after(DEADLINE), suppress(trio.BrokenResourceError, OSError):
                try:
                    self._places.acquire_on_behalf_of_nowait(stream)
                except trio.WouldBlock:
                    await stream.send_all(_octets(Answer(503, "too many connections\n")))
                    return
                try:
                    await self._answer(stream)
                finally:
                    self._places.release_on_behalf_of(stream)

    async def _answer(self, stream: trio.SocketStream) -> None:
        head_only = False
        try:
            method, path = _parse(await _read_head(stream))
            head_only = method == "HEAD"
            if path not in self._pages:
                raise _Refused(404)
            answer = await self._pages[path]()
        except _Refused as refused:
            answer = Answer(refused.status, f"{refused}\n")
        except Exception:  # noqa: BLE001 - a defect here must not end the supervisor
            traceback.print_exc()
            answer = Answer(500, "cannot answer: a defect, see jlaunchd.stderr\n")
        await _send(stream, answer, head_only=head_only)


async def _read_head(stream: trio.SocketStream) -> bytes:
    """Everything up to the empty line; a body is not waited for."""
    head = bytearray()
    while b"\r\n\r\n" not in head and b"\n\n" not in head:
        if len(head) > MAX_HEAD:
            raise _Refused(431)
        received = await stream.receive_some(4096)
        if not received:
            raise _Refused(400)
        head += received
    return bytes(head)


def _parse(head: bytes) -> tuple[str, str]:
    """Method and path of a request (RFC 9112 section 3)."""
    words = head.split(b"\n", 1)[0].rstrip(b"\r").split(b" ")
    if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
        raise _Refused(400)
    try:
        method, target = words[0].decode("ascii"), words[1].decode("ascii")
    except UnicodeDecodeError:
        raise _Refused(400) from None
    if method not in ("GET", "HEAD"):
        raise _Refused(405)
    return method, target.partition("?")[0]


async def _send(stream: trio.SocketStream, answer: Answer, *, head_only: bool) -> None:
    await stream.send_all(_octets(answer, head_only=head_only))
    await stream.send_eof()
    # What the client still sends would make the kernel reset the connection, and cut the answer.
    while await stream.receive_some(4096):
        pass


def _octets(answer: Answer, *, head_only: bool = False) -> bytes:
    body = answer.body.encode()
    head = (
        f"HTTP/1.1 {answer.status} {_REASONS[answer.status]}\r\n"
        f"Content-Type: {answer.content_type}\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    ).encode()
    return head if head_only else head + body


async def _listen_tcp(address: str) -> trio.socket.SocketType:
    host, port = parse_address(address)
    open_listeners = partial(trio.open_tcp_listeners, port, host=host, backlog=CONNECTIONS)
    return (await open_listeners())[0].socket
