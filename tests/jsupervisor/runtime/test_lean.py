"""The packet engine's runtime, inside this process and as a real one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from jsupervisor.runtime.fakes import FakeInit, make_order
from jsupervisor.runtime.injected import InjectedException
from jsupervisor.runtime.lean import DescriptorExists, InitGone, LeanHost

ORDER = make_order(Path("/nowhere"), "pfe0", entry="engine:Engine")

MAIN = """
import json, os, socket, sys
from jsupervisor.initproto import Connection
from jsupervisor.runtime.lean import run_lean
from jsupervisor.runtime.order import Order
init = Connection(socket.socket(fileno=int(sys.argv[1])))
os._exit(run_lean(Order.from_json(json.loads(sys.argv[2])), init))
"""

ENGINE = """
import select, sys

class Engine:
    def __init__(self, order, host):
        self.host = host
    def run(self):
        print("\\n".join(sys.modules), flush=True)
        self.host.report("serving")
        poll = select.poll()
        poll.register(self.host.fd, select.POLLIN)
        while not self.host.stopping:
            self.host.beat()
            poll.poll(10)
            self.host.service()
        return 0
"""


@pytest.fixture
def init() -> Generator[FakeInit, None, None]:
    fake = FakeInit()
    thread = threading.Thread(target=lambda: [None for _ in iter(fake.answer_one, False)])
    thread.start()
    yield fake
    fake.connection.close()
    thread.join()
    fake.close()


def test_the_heartbeat_word_is_kept_by_init_and_stamped(init: FakeInit) -> None:
    before = time.monotonic_ns()
    host = LeanHost(ORDER, init.connection)
    fd = init.descriptors["pfe0/heartbeat"]
    first = int.from_bytes(os.pread(fd, 8, 0), "little")
    host.beat()
    second = int.from_bytes(os.pread(fd, 8, 0), "little")

    assert before <= first <= second <= time.monotonic_ns()
    assert os.sysconf("SC_PAGESIZE") == os.fstat(fd).st_size


def test_a_successor_stamps_its_predecessors_word(init: FakeInit) -> None:
    LeanHost(ORDER, init.connection)
    fd = init.descriptors["pfe0/heartbeat"]
    first = os.pread(fd, 8, 0)
    LeanHost(ORDER, init.connection)

    assert first < os.pread(fd, 8, 0) or first != os.pread(fd, 8, 0)
    assert fd == init.descriptors["pfe0/heartbeat"]


def test_descriptors_are_kept_fetched_and_dropped(init: FakeInit) -> None:
    host = LeanHost(ORDER, init.connection)
    reader, writer = os.pipe()
    host.put("pfe0/port", reader)
    with pytest.raises(DescriptorExists, match="cannot put pfe0/port"):
        host.put("pfe0/port", reader)
    os.write(writer, b"x")
    kept = host.get("pfe0/port")
    assert kept is not None
    seen = os.read(kept, 1)
    host.drop("pfe0/port")
    host.drop("pfe0/port")
    gone = host.get("pfe0/port")
    for fd in (reader, writer, kept):
        os.close(fd)

    assert (b"x", None) == (seen, gone)


def test_what_is_pushed_during_a_request_waits_for_service(init: FakeInit) -> None:
    host = LeanHost(ORDER, init.connection)
    init.push({"op": "stop"})
    host.get("pfe0/nothing")
    before = host.stopping
    host.service()

    assert (False, True) == (before, host.stopping)


def test_an_injected_exception_comes_out_of_service(init: FakeInit) -> None:
    host = LeanHost(ORDER, init.connection)
    init.push({"op": "fault", "kind": "exception"})
    with pytest.raises(InjectedException):
        host.service()


def test_service_with_nothing_to_do_returns_at_once(init: FakeInit) -> None:
    LeanHost(ORDER, init.connection).service()


def test_the_end_of_init_is_noticed() -> None:
    fake = FakeInit()
    thread = threading.Thread(target=lambda: [fake.answer_one() for _ in range(2)])
    thread.start()
    host = LeanHost(ORDER, fake.connection)
    thread.join()
    fake._ours.close()
    with pytest.raises(InitGone):
        host.service()
    with pytest.raises(InitGone):
        host.report("serving")
    fake.close()


@pytest.mark.parametrize("how", ["SIGTERM", "stop"])
def test_a_lean_process_imports_nothing_heavy_and_stops_when_asked(
    tmp_path: Path, how: str
) -> None:
    (tmp_path / "engine.py").write_text(ENGINE)
    fake = FakeInit()
    fd = fake.connection.fileno()
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, str(fd), json.dumps(ORDER.to_json())],
        pass_fds=(fd,),
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    fake.connection.close()
    while fake.stages != ["serving"]:
        fake.answer_one()
    if how == "stop":
        fake.push({"op": "stop"})
    else:
        process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=10)
    fake.close()
    heavy = {"trio", "grpc", "google", "structlog", "asyncio", "numpy", "rich", "click", "psutil"}

    assert 0 == process.returncode
    assert set() == heavy & {line.split(".")[0] for line in output.decode().splitlines()}
