"""A real init whose jlaunchd, launcher and modules are puppets; children that may be confined for ever."""

from __future__ import annotations

import json
import os
import pickle
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

import jsupervisor
from jsupervisor.containment import cgroups
from jsupervisor.initproto import Connection, Json, Message
from jsupervisor.observer.processes import ProcessId, alive, descendants

ROOT = str(Path(jsupervisor.__file__).parents[1])
TIMEOUT = 15.0

RUN_INIT = (
    "import sys; sys.path.insert(0, sys.argv[2]);"
    "{patch};"
    "from jsupervisor.init.__main__ import main; sys.exit(main(sys.argv[1]))"
)

# Passes what the test says to init, and what init says to the test. Answers pings by itself.
PUPPET = """
import os, select, signal, sys, time
sys.path.insert(0, "@ROOT@")
from jsupervisor import linux
from jsupervisor.initproto import Connection

RUN_DIR, CONTROL, INIT = sys.argv[1], sys.argv[2], int(sys.argv[4]) if sys.argv[4:] else 0

def born(role, init):
    if role == "module":
        if os.fork():
            os._exit(0)
        while os.getppid() != init:
            time.sleep(0.001)
    linux.die_with_parent()
    os.setsid()
    play(role, init)

def play(role, init_pid):
    control = Connection.open(CONTROL)
    control.send({"role": role, "pid": os.getpid(), "argv": sys.argv})
    init, answering = Connection.open(RUN_DIR + "/init.sock"), True
    while True:
        ready, _, _ = select.select([control, init] if answering else [control], [], [])
        if control in ready:
            got = control.receive()
            if got is None:
                os._exit(0)
            message, fds = got
            what = message.pop("puppet", None)
            if what == "fork":
                if os.fork() == 0:
                    born(message["role"], init_pid)
            elif what == "silent":
                answering = False
            elif what == "wide":
                text = '{"op":"event","record":{"x":"' + chr(0x4e2d) * message["count"] + '"}}'
                os.write(init.fileno(), b"1" + text.encode())
            elif what == "exit":
                os._exit(message["code"])
            elif what == "orphan":
                if os.fork() == 0:
                    if os.fork() == 0:
                        control.send({"op": "orphan", "pid": os.getpid()})
                        signal.pause()
                    os._exit(0)
            else:
                init.send(message, fds)
            for fd in fds:
                os.close(fd)
        if init in ready:
            got = init.receive()
            if got is None:
                os._exit(9)
            message, fds = got
            if message["op"] == "ping":
                init.send({"op": "pong", "number": message["number"]})
            else:
                control.send(message, fds)
            for fd in fds:
                os.close(fd)

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
play(sys.argv[3], os.getppid())
""".replace("@ROOT@", ROOT)


class Puppet:
    """One process of the instance that does what the test says."""

    def __init__(self, connection: Connection) -> None:
        connection.settimeout(TIMEOUT)
        self._connection = connection
        greeting = self.hear()
        self.role, pid = str(greeting["role"]), greeting["pid"]
        assert isinstance(pid, int)
        self.pid = pid
        """As it sees itself: in its own namespace."""
        self.argv = greeting["argv"]
        self.heard: list[Message] = []
        self.fds: list[int] = []

    def say(self, op: str, fds: Sequence[int] = (), **fields: Json) -> None:
        """Send a message to init."""
        self._connection.send({"op": op, **fields}, fds)

    def do(self, what: str, **fields: Json) -> None:
        """An order to the puppet itself."""
        self._connection.send({"puppet": what, **fields})

    def hear(self) -> Message:
        """The next message that init sent it."""
        received = self._connection.receive()
        if received is None:
            raise EOFError("the puppet is gone")
        self.fds = received[1]
        return received[0]

    def expect(self, op: str, **fields: Json) -> Message:
        """The next message of this kind and with these fields; those before are in `heard`."""
        while True:
            message = self.hear()
            self.heard.append(message)
            if message["op"] == op and all(message.get(k) == v for k, v in fields.items()):
                return message

    def ask(self, op: str, fds: Sequence[int] = (), **fields: Json) -> Message:
        """Send and return the answer."""
        self.say(op, fds, **fields)
        return self.expect_any("done", "refused", "missing", "granted")

    def expect_any(self, *ops: str) -> Message:
        """The next message of one of these kinds."""
        while True:
            message = self.hear()
            self.heard.append(message)
            if message["op"] in ops:
                return message

    def hello(self, role: str | None = None) -> Message:
        """Say hello; what came before the welcome is in `heard`."""
        self.say("hello", role=role or self.role)
        return self.expect("welcome")

    def sync(self) -> None:
        """Everything said before has been heard by init; for jlaunchd."""
        assert "missing" == self.ask("get", key="x/y")["op"]

    def await_end(self) -> None:
        """Wait until it is dead."""
        try:
            while True:
                self.hear()
        except (EOFError, ConnectionResetError):
            pass

    def close(self) -> None:
        """Let go of it; it exits."""
        self._connection.close()


def run_dir_in(folder: Path) -> Path:
    """As in a real instance its name is no other one's: groups of processes are called after it."""
    return folder / folder.name


class Rig:
    """An instance whose init is real."""

    def __init__(self, folder: Path, prefix: Sequence[str], patch: str, **boot: Json) -> None:
        self.folder, self.home, self.run_dir = folder, folder / "home", run_dir_in(folder)
        for made in (self.home, self.home / "log", self.run_dir):
            made.mkdir(exist_ok=True)
        self.puppets: list[Puppet] = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(folder / "control"))
        self._listener.listen(64)
        self._listener.settimeout(TIMEOUT)
        lock = os.open(self.home / "lock", os.O_RDWR | os.O_CREAT)
        reader, self._lifeline = os.pipe()
        python = [sys.executable, "-I", "-S", "-c"]
        argv = [*python, PUPPET, str(self.run_dir), str(folder / "control")]
        order = {
            "instance": "rig",
            "profile": "none",
            "architecture": "modular",
            "home": str(self.home),
            "run_dir": str(self.run_dir),
            "lock_fd": lock,
            "lifeline_fd": reader,
            "jlaunchd": [*argv, "jlaunchd"],
            "launcher": [*argv, "launcher"],
            **boot,
        }
        program = RUN_INIT.format(patch=patch or "pass")
        with (self.home / "log" / "init.stderr").open("wb") as stderr:
            self.process = subprocess.Popen(
                [*prefix, *python, program, json.dumps(order), ROOT],
                stdin=subprocess.DEVNULL,
                stdout=stderr,
                stderr=stderr,
                pass_fds=[lock, reader],
                env={**os.environ, "JT_FOLDER": str(folder)},
            )
        os.close(lock)
        os.close(reader)
        self._waiting: dict[str, list[Puppet]] = {}

    def puppet(self, role: str) -> Puppet:
        """The next puppet of this role to come."""
        while not self._waiting.get(role):
            sock, _ = self._listener.accept()
            found = Puppet(Connection(sock))
            self.puppets.append(found)
            self._waiting.setdefault(found.role, []).append(found)
        return self._waiting[role].pop(0)

    def operator(self) -> Connection:
        """A connection to init."""
        deadline = time.monotonic() + TIMEOUT
        while not (self.run_dir / "init.sock").exists():
            assert time.monotonic() < deadline, self.stderr()
            time.sleep(0.002)
        return Connection.open(str(self.run_dir / "init.sock"), TIMEOUT)

    def ask(self, op: str, **fields: Json) -> Message:
        """One operator's question."""
        connection = self.operator()
        try:
            return connection.request({"op": op, **fields})
        finally:
            connection.close()

    def status(self) -> Message:
        """What init says of the instance."""
        status = self.ask("status")["status"]
        assert isinstance(status, dict)
        return status

    def staff(self) -> tuple[Puppet, Puppet]:
        """jlaunchd and the launcher, both welcome."""
        jlaunchd, launcher = self.puppet("jlaunchd"), self.puppet("launcher")
        jlaunchd.hello()
        jlaunchd.say("adopted")
        launcher.hello()
        return jlaunchd, launcher

    def module(self, jlaunchd: Puppet, launcher: Puppet, name: str, **order: Json) -> Puppet:
        """A running module, started by the protocol."""
        jlaunchd.say(
            "start", name=name, incarnation=1, stage="lean", order=order, record={"of": name}
        )
        launcher.expect("fork")
        launcher.do("fork", role="module")
        module = self.puppet("module")
        module.say("claim", name=name, incarnation=1)
        module.expect("granted")
        jlaunchd.expect("claimed")
        return module

    def family(self) -> list[ProcessId]:
        """Every process of the instance."""
        return descendants(self.process.pid)

    def named(self, name: str) -> list[ProcessId]:
        """Its live processes that the kernel calls by this name."""
        found = []
        for process in self.family():
            try:
                comm = Path(f"/proc/{process.pid}/comm").read_text().strip()
            except OSError:
                continue
            if comm == name and alive(process):
                found.append(process)
        return found

    def strays(self) -> list[int]:
        """Live processes of this instance, wherever they are: all inherit its environment."""
        mark = f"JT_FOLDER={self.folder}\0".encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*/environ"):
            try:
                if mark in entry.read_bytes():
                    found.append(int(entry.parent.name))
            except OSError:
                continue
        return found

    def let_go(self) -> None:
        """Close the lifeline."""
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1

    def stderr(self) -> str:
        """What init complained about."""
        return (self.home / "log" / "init.stderr").read_text()

    def close(self) -> list[int]:
        """End it by force; who outlived init."""
        family = self.family()
        self.process.kill()
        self.process.wait(TIMEOUT)
        await_dead(family)
        deadline = time.monotonic() + TIMEOUT
        while (strays := self.strays()) and time.monotonic() < deadline:
            time.sleep(0.005)
        for puppet in self.puppets:
            puppet.close()
        self._listener.close()
        self.let_go()
        return strays


def await_dead(family: Sequence[ProcessId]) -> None:
    """Wait until none of them lives, or time is up."""
    for process in family:
        try:
            pidfd = os.pidfd_open(process.pid)
        except ProcessLookupError:
            continue
        if alive(process):
            select.select([pidfd], [], [], TIMEOUT)
        os.close(pidfd)


RigOf = Callable[..., Rig]


@pytest.fixture
def rig() -> Iterator[RigOf]:
    """Starts inits; all are ended after the test, and none may leave a process or a traceback."""
    rigs: list[Rig] = []
    folders: list[str] = []

    def start(
        prefix: Sequence[str] = (),
        patch: str = "",
        launcher_program: tuple[str, str, str] | None = None,
        lean_imports: Sequence[str] = (),
        full_imports: Sequence[str] = (),
        **boot: Json,
    ) -> Rig:
        folder = Path(tempfile.mkdtemp(prefix="jt", dir="/tmp"))
        folders.append(str(folder))
        if launcher_program is not None:
            program, *arguments = launcher_program
            setup = {
                "run_dir": str(run_dir_in(folder)),
                "lean_imports": list(lean_imports),
                "full_imports": list(full_imports),
            }
            once, findings = folder / "once", folder / "findings"
            once.touch()
            argv = [sys.executable, "-P", "-c", program, json.dumps(setup), *arguments]
            boot["launcher"] = [*argv, str(once), str(findings)]
        rigs.append(Rig(folder, prefix, patch, **boot))
        return rigs[-1]

    yield start
    left = [process for each in rigs for process in each.close()]
    complaints = "".join(each.stderr() for each in rigs)
    for folder in folders:
        cgroups.remove_noted(str(run_dir_in(Path(folder))))
        shutil.rmtree(folder, ignore_errors=True)

    assert [] == left
    assert "Traceback" not in complaints


# -- a process of which nothing must be left ------------------------------------------------------


class Died(Exception):
    """The child was killed; the number of the signal."""


@pytest.fixture
def in_child() -> Callable[[Callable[[], object]], object]:
    """Call a function in a child; what it returns, or raises."""

    def call(function: Callable[[], object]) -> object:
        ours, theirs = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(ours)
            _run(function, theirs)
        os.close(theirs)
        answer = os.read(ours, 1 << 20)  # not to its end: what the child has started may hold it
        os.close(ours)
        status = os.waitpid(pid, 0)[1]
        if os.WIFSIGNALED(status):
            raise Died(os.WTERMSIG(status))
        kind, value = pickle.loads(answer)
        if kind == "raised":
            raise value
        return value

    return call


def _run(function: Callable[[], object], fd: int) -> None:
    try:
        outcome: tuple[str, object] = ("returned", function())
    except BaseException as error:  # noqa: BLE001 - the parent raises it
        outcome = ("raised", error)
    try:
        os.write(fd, pickle.dumps(outcome))
        sys.stdout.flush()
    finally:
        os._exit(0)
