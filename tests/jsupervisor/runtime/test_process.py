"""Real processes of the full runtime: how they begin, how they end, and what each fault does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest
import trio

from jprotos.runtime.v1 import runtime_pb2, runtime_pb2_grpc
from jsupervisor.runtime.daemon import Daemon
from jsupervisor.runtime.fakes import FakeInit, client_to, make_identity, make_order, run_daemon
from jsupervisor.runtime.feed import Publisher
from jsupervisor.runtime.order import Order
from jsupervisor.runtime.rpc import RpcError

MAIN = """
import json, os, socket, sys
from jsupervisor.initproto import Connection
from jsupervisor.runtime.order import Order
from jsupervisor.runtime.process import run_full
init = Connection(socket.socket(fileno=int(sys.argv[1])))
os._exit(run_full(Order.from_json(json.loads(sys.argv[2])), init))
"""

MODULES = """
import sys, time
from jsupervisor.runtime.daemon import Daemon
from jsupervisor.runtime.feed import FeedSource

class Rpd(Daemon):
    async def reload(self):
        print("reloaded", file=sys.stderr, flush=True)
    async def stop(self):
        print("stopped", file=sys.stderr, flush=True)

class Pfectl(Daemon):
    def __init__(self, order):
        super().__init__(order)
        self.routes = {}
    def feeds_in(self):
        return [FeedSource("rpd", "fib")]
    async def on_change(self, change):
        self.routes.update(change.packed_upserts)
    def operational(self):
        return {"routes": lambda arguments: sorted({value.hex() for value in self.routes.values()})}

class Broken(Daemon):
    async def run(self, nursery):
        raise RuntimeError("a bug in run")

class Engine:
    def __init__(self, order, host):
        self.host = host
    def run(self):
        self.host.put("pfe0/image", 0)
        self.host.report("forwarding")
        while not self.host.stopping:
            self.host.beat()
            self.host.service()
            time.sleep(0.01)
        return 0

class FailingEngine(Engine):
    def run(self):
        return 3

class NotOurs:
    pass
"""


class Process:
    """A child process with this test as its init."""

    def __init__(self, order: Order, folder: Path) -> None:
        (folder / "modules.py").write_text(MODULES)
        self.order = order
        self.init = FakeInit()
        for part in order.parts or (order,):
            self.init.know(make_identity(Path(order.run_dir), part.name))
        self.stderr = folder / "stderr"
        fd = self.init.connection.fileno()
        with self.stderr.open("w") as stderr:
            self.popen = subprocess.Popen(
                [sys.executable, "-c", MAIN, str(fd), json.dumps(order.to_json())],
                pass_fds=(fd,),
                stderr=stderr,
                env={**os.environ, "PYTHONPATH": str(folder)},
            )
        self.init.connection.close()

    async def reported(self, stage: str, part: str | None = None) -> None:
        """Wait until the process has reported a stage."""
        while not any(r["stage"] == stage and r.get("part") == part for r in self.init.reports):
            await trio.to_thread.run_sync(self.init.answer_one)

    async def ended(self) -> int:
        """The exit code, once there is one."""
        return await trio.to_thread.run_sync(self.popen.wait, 10)

    def close(self) -> None:
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait()
        self.init.close()


@pytest.fixture
def spawn(run_dir: Path, tmp_path: Path) -> Generator[Spawn, None, None]:
    made = Spawn(run_dir, tmp_path)
    yield made
    for process in made.processes:
        process.close()


class Spawn:
    """Starts processes and remembers them."""

    def __init__(self, run_dir: Path, folder: Path) -> None:
        self.run_dir = run_dir
        self.folder = folder
        self.processes: list[Process] = []

    def __call__(self, entry: str = "modules:Rpd", **changes: object) -> Process:
        name = str(changes.pop("name", "rpd"))
        order = make_order(self.run_dir, name, entry=entry, **changes)
        self.processes.append(Process(order, self.folder))
        return self.processes[-1]


async def heartbeat(run_dir: Path, timeout: float) -> bool:
    client = client_to(run_dir, "rpd")
    try:
        method = runtime_pb2_grpc.RuntimeStub(client.channel).Heartbeat
        await client.unary(method, runtime_pb2.HeartbeatRequest(), timeout=timeout)
    except RpcError:
        return False
    finally:
        await client.aclose()
    return True


@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT", "stop"])
async def test_a_process_that_is_asked_to_stop_exits_with_0(spawn: Spawn, how: str) -> None:
    process = spawn()
    await process.reported("ready")
    if how == "stop":
        process.init.push({"op": "stop"})
    else:
        process.popen.send_signal(signal.Signals[how])

    assert 0 == await process.ended()
    assert "stopped" in process.stderr.read_text()
    assert [] == os.listdir(spawn.run_dir / "rpd")


async def test_sighup_is_a_soft_restart(spawn: Spawn) -> None:
    process = spawn()
    await process.reported("ready")
    process.popen.send_signal(signal.SIGHUP)
    while "reloaded" not in process.stderr.read_text():
        await trio.sleep(0.01)

    assert process.popen.poll() is None


@pytest.mark.parametrize(("kind", "code"), [("exit:17", 17), ("exit:0", 0), ("exception", 1)])
async def test_a_fault_ends_the_process_with_its_code(spawn: Spawn, kind: str, code: int) -> None:
    process = spawn()
    await process.reported("ready")
    process.init.push({"op": "fault", "kind": kind})

    assert code == await process.ended()
    assert "stopped" not in process.stderr.read_text()
    assert (kind == "exception") == ("InjectedException" in process.stderr.read_text())


@pytest.mark.parametrize("kind", ["spin", "spin-c"])
async def test_a_process_that_spins_misses_its_heartbeat(spawn: Spawn, kind: str) -> None:
    process = spawn()
    await process.reported("ready")
    before = await heartbeat(spawn.run_dir, 5)
    process.init.push({"op": "fault", "kind": kind})
    while await heartbeat(spawn.run_dir, 0.3):
        pass

    assert before
    assert process.popen.poll() is None


async def test_a_process_does_not_outlive_init(spawn: Spawn) -> None:
    process = spawn()
    await process.reported("ready")
    process.init.close()

    assert 1 == await process.ended()


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("modules", "cannot run 'modules': it is not package.module:Class"),
        ("nowhere:Rpd", "cannot run 'nowhere:Rpd': No module named 'nowhere'"),
        ("modules:Missing", "cannot run 'modules:Missing': modules has no class Missing"),
        ("modules:NotOurs", "cannot run 'modules:NotOurs': it is not a Daemon"),
    ],
)
async def test_an_entry_that_cannot_be_run_is_one_clear_line(
    spawn: Spawn, entry: str, says: str
) -> None:
    process = spawn(entry)

    assert 1 == await process.ended()
    assert says == process.stderr.read_text().strip()


async def test_an_unhandled_exception_is_a_crash_with_a_traceback(spawn: Spawn) -> None:
    process = spawn("modules:Broken")
    await process.reported("serving")

    assert 1 == await process.ended()
    assert "RuntimeError: a bug in run" in process.stderr.read_text()


class Producer(Daemon):
    """Publishes a fib that changes all the time."""

    def __init__(self, order: Order) -> None:
        super().__init__(order)
        self.fib = Publisher("fib", key_size=18, value_size=4)
        self.turn(0)

    def publishers(self) -> Sequence[Publisher]:
        return (self.fib,)

    def turn(self, number: int) -> None:
        value = number.to_bytes(4, "big")
        self.fib.set_packed({key.to_bytes(18, "big"): value for key in range(20_000)})


async def values(run_dir: Path) -> list[str]:
    client = client_to(run_dir, "pfectl0")
    method = runtime_pb2_grpc.RuntimeStub(client.channel).Get
    reply = await client.unary(method, runtime_pb2.GetRequest(name="routes"), timeout=10)
    await client.aclose()
    return list(json.loads(reply.json))


async def test_a_stopped_consumer_costs_its_producer_nothing_and_catches_up(spawn: Spawn) -> None:
    producer = Producer(make_order(spawn.run_dir, "rpd"))
    consumer = spawn("modules:Pfectl", name="pfectl0", executable="pfectl")
    async with run_daemon(producer):
        await consumer.reported("ready")
        consumer.popen.send_signal(signal.SIGSTOP)
        backlogs = []
        for number in range(1, 100):
            producer.turn(number)
            backlogs.append(max(each.backlog for each in producer.fib._subscriptions))
            answered = await heartbeat(spawn.run_dir, 5)

            assert answered
        consumer.popen.send_signal(signal.SIGCONT)
        while await values(spawn.run_dir) != [f"{99:08x}"]:
            await trio.sleep(0.02)

    assert max(backlogs) <= 20_000


def parts(run_dir: Path, engine: str) -> tuple[Order, ...]:
    return (
        make_order(run_dir, "rpd", entry="modules:Rpd"),
        make_order(run_dir, "dcd", entry="modules:Rpd"),
        make_order(run_dir, "pfe0", entry=f"modules:{engine}"),
    )


async def test_a_monolithic_process_hosts_all_parts_and_reports_for_each(spawn: Spawn) -> None:
    process = spawn("", architecture="monolithic", parts=parts(spawn.run_dir, "Engine"))
    await process.reported("ready", part="rpd")
    await process.reported("ready", part="dcd")
    await process.reported("forwarding", part="pfe0")
    kept = {key for key in process.init.descriptors if not key.endswith("/identity")}
    process.popen.send_signal(signal.SIGTERM)

    assert {"pfe0/heartbeat", "pfe0/image"} == kept
    assert 0 == await process.ended()


async def test_a_failing_part_takes_the_monolithic_process_down(spawn: Spawn) -> None:
    process = spawn("", architecture="monolithic", parts=parts(spawn.run_dir, "FailingEngine"))
    while process.popen.poll() is None:
        with trio.move_on_after(0.1):
            await trio.to_thread.run_sync(process.init.answer_one, abandon_on_cancel=True)

    assert 1 == process.popen.returncode
    assert "cannot go on: pfe0 ended with 3" in process.stderr.read_text()
