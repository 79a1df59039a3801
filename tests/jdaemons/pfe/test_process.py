"""The engine as a real process under the lean runtime."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from jdaemons.pfe.fakes import LEFT, RIGHT, Init, answer, forwarded, frame, install, received
from jdaemons.pfe.layout import Image
from jdaemons.pfe.writer import ImageWriter
from jsupervisor.runtime.fakes import make_order

MAIN = """
import json, os, socket, sys
from jsupervisor.initproto import Connection
from jsupervisor.runtime.lean import run_lean
from jsupervisor.runtime.order import Order
init = Connection(socket.socket(fileno=int(sys.argv[1])))
code = run_lean(Order.from_json(json.loads(sys.argv[2])), init)
print("\\n".join(sys.modules), flush=True)
os._exit(code)
"""
HEAVY = ("grpc", "trio", "google.protobuf", "structlog", "jprotos", "psutil", "asyncio")


def launch(run_dir: Path, init: Init) -> subprocess.Popen[bytes]:
    order = make_order(
        run_dir,
        "pfe0",
        entry="jdaemons.pfe.engine:Engine",
        options={"fpc": 0},
        ports={LEFT: f"unix:{run_dir}/left", RIGHT: f"unix:{run_dir}/right"},
    )
    fd = init.connect().connection.fileno()
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", MAIN, str(fd), json.dumps(order.to_json())],
        pass_fds=(fd,),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    await_stage(process, init, "ready")
    return process


def await_stage(process: subprocess.Popen[bytes], init: Init, stage: str) -> None:
    """The engine's reports come to a thread; what it kept is there once it is ready."""
    while stage not in init.last.stages:
        assert process.poll() is None
        os.sched_yield()


def attach(path: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.connect(path)
    sock.setblocking(False)
    return sock


def gather(
    sock: socket.socket, count: int, read: Callable[[socket.socket], list[bytes]]
) -> list[bytes]:
    """Wait for so many frames that `read` does not answer itself."""
    frames: list[bytes] = []
    while len(frames) < count and select.select([sock], [], [], 5)[0]:
        frames += read(sock)
    return frames


def test_a_killed_engine_is_followed_by_one_that_forwards_what_waited(
    run_dir: Path, init: Init
) -> None:
    first = launch(run_dir, init)
    image = Image(init.descriptors["pfe0/image"], writable=True)
    install(ImageWriter(image))
    pair = "192.0.2.2", "198.51.100.2"
    with attach(f"{run_dir}/left") as left, attach(f"{run_dir}/right") as right:
        left.send(frame(*pair))
        before = gather(right, 1, answer)
        await_stage(first, init, "forwarding")
        first.kill()
        first.wait()
        payloads = [index.to_bytes(26) for index in range(100)]
        for payload in payloads:
            left.send(frame(*pair, payload=payload))
        second = launch(run_dir, init)
        after = gather(right, 100, received)
        second.send_signal(signal.SIGTERM)
        modules, _ = second.communicate()
    assert first.stdout is not None
    first.stdout.close()
    loaded = set(modules.decode().split())

    assert [forwarded(*pair)] == before
    assert [forwarded(*pair, payload=each) for each in payloads] == after
    assert 0 == second.returncode
    assert "numpy" in loaded
    assert [] == [each for each in HEAVY if each in loaded]
