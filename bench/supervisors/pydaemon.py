"""A Python gRPC daemon as people write them: imports grpc and trio, binds, serves, says ready.

Its one argument is that of trivial.c. The stamp is taken when the server has been started.
"""

import os
import socket
import struct
import sys
import time
from concurrent import futures

import grpc
import trio


def stamp(spec: dict[str, str]) -> None:
    """Write index, pid and now into the board, in one write."""
    record = struct.pack("=3q", int(spec["index"]), os.getpid(), time.monotonic_ns())
    board = os.open(spec["board"], os.O_RDWR | os.O_NONBLOCK)
    os.write(board, record)
    os.close(board)


def notify(text: bytes) -> None:
    """Tell whoever listens on NOTIFY_SOCKET."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if path:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(text, "\0" + path[1:] if path.startswith("@") else path)


def say_ready(how: str) -> None:
    """The newline of s6, or sd_notify, or nothing."""
    if how.startswith("fd:"):
        os.write(int(how[3:]), b"\n")
        os.close(int(how[3:]))
    elif how == "notify":
        notify(b"READY=1")


async def main(spec: dict[str, str]) -> None:
    """Serve for ever."""
    server = grpc.server(futures.ThreadPoolExecutor(4))
    server.add_insecure_port("127.0.0.1:0")
    server.start()
    stamp(spec)
    say_ready(spec["ready"])
    beat = int(spec["beat"]) / 1000
    while True:
        await trio.sleep(beat or 3600)
        if beat:
            notify(b"WATCHDOG=1")


if __name__ == "__main__":
    trio.run(main, dict(part.split("=", 1) for part in sys.argv[1].split(",")))
