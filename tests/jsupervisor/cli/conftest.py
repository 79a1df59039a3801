"""Stand-ins for what the command talks to: init on its socket, modules on theirs; and the command."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
from google.protobuf import message as google_message

from jprotos.jlaunchd.v1 import jlaunchd_pb2
from jprotos.mgd.v1 import mgd_pb2
from jprotos.runtime.v1 import runtime_pb2
from jsupervisor.cli.main import run
from jsupervisor.initproto import Connection, Json, Message
from jsupervisor.paths import Instance, instance, make_module_folder
from jsupervisor.runtime.fakes import make_identity, short_run_dir
from jsupervisor.runtime.identity import seal
from jsupervisor.runtime.names import daemon_name, executable_of
from jsupervisor.testing.harness import leftovers


@dataclass(frozen=True, slots=True)
class Result:
    """What a command line came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Json:
        """The output as data."""
        value: Json = json.loads(self.out)
        return value


Cli = Callable[..., Result]


@pytest.fixture
def cli(home: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Runs one command line as the entry point does."""

    def run_line(*arguments: str) -> Result:
        capsys.readouterr()
        code = run(arguments)
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return run_line


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of instances of its own, with sockets in a folder of a short path."""
    with short_run_dir() as run_root:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(run_root))
        monkeypatch.setenv("JSUPERVISOR_HOME", str(tmp_path / "home"))
        yield tmp_path / "home"


def module_status(name: str, pid: int | None, **changes: Json) -> dict[str, Json]:
    """What init says of a module."""
    names = daemon_name(executable_of(name))
    return {
        "name": name,
        "executable": names.executable,
        "cli_name": names.cli_name,
        "display_name": names.display_name,
        "pid": pid,
        "incarnation": 1,
        "state": "up" if pid else "failed",
        "socket": f"/run/{name}/plain.sock",
        "ready_at": "2026-11-23T10:00:00.000000Z",
        "restarts": 0,
        "last_cause": None,
        **changes,
    }


def event_record(name: str, event: str, number: int = 1, **changes: Json) -> dict[str, Json]:
    """An event as init pushes it."""
    return {
        "name": name,
        "event": event,
        "incarnation": 1,
        "cause": "",
        "monotonic_ns": number,
        "time": f"2026-11-23T10:00:00.{number:06}Z",
        "downtime_ms": None,
        "attempt": 0,
        "next": "",
        **changes,
    }


@dataclass(slots=True)
class FakeInit:
    """init: holds the lock, answers `status` and `watch`, ends at `stop`."""

    instance: Instance
    modules: list[dict[str, Json]] = field(default_factory=list)
    pushed: list[dict[str, Json]] = field(default_factory=list)
    """Sent to whoever watches, after which the connection is closed."""
    silent: bool = False
    asked: list[str] = field(default_factory=list)
    _lock: int = -1
    _listener: socket.socket = field(default_factory=socket.socket)
    _threads: list[threading.Thread] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Take the lock and listen."""
        lock = self.instance.lock()
        assert lock is not None
        self._lock = lock
        self.instance.make()
        self._listener.close()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(self.instance.init_socket))
        self._listener.listen()
        self._spawn(self._accept)

    def _spawn(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._spawn(lambda sock=sock: self._serve(Connection(sock)))  # type: ignore[misc]

    def _serve(self, connection: Connection) -> None:
        try:
            while (received := connection.receive()) is not None:
                op = str(received[0].get("op"))
                self.asked.append(op)
                if self.silent:
                    continue
                if op == "status":
                    connection.send({"op": "status", "status": self.status()})
                elif op == "identity":
                    identity = make_identity(self.instance.run_dir, "operator")
                    fd = seal("operator/identity", identity.to_bytes())
                    connection.send({"op": "done"}, [fd])
                    os.close(fd)
                elif op == "watch":
                    connection.send({"op": "watching"})
                    for record in self.pushed:
                        connection.send({"op": "event", "record": record})
                    return
                elif op == "stop":
                    connection.send({"op": "stopping"})
                    self._end()
                    return
        except OSError:
            pass
        finally:
            connection.close()

    def status(self) -> Message:
        """The answer of init, which says more than the command prints."""
        return {
            "instance": self.instance.name,
            "profile": "vmx",
            "architecture": "modular",
            "run_dir": str(self.instance.run_dir),
            "init": {"pid": os.getpid()},
            "jlaunchd": {"pid": None, "incarnation": 2},
            "launcher": {"pid": 101, "incarnation": 1},
            "modules": self.modules,
            "processes": [],
        }

    def _end(self) -> None:
        if not self._ended.is_set():
            self._ended.set()
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            os.close(self._lock)

    def die(self) -> None:
        """As by SIGKILL: the lock is free, the files stay."""
        self._end()

    def close(self) -> None:
        """The end, and no thread left."""
        self._end()
        for thread in self._threads:
            thread.join(10)


MakeInit = Callable[..., FakeInit]


@pytest.fixture
def make_init(home: Path) -> Iterator[MakeInit]:
    """Starts an init for an instance, with its modules."""
    made: list[FakeInit] = []

    def make(*modules: dict[str, Json], name: str = "default", silent: bool = False) -> FakeInit:
        init = FakeInit(instance(name), list(modules), silent=silent)
        init.start()
        made.append(init)
        programs = [{"name": each["name"], "executable": each["executable"]} for each in modules]
        plan = json.dumps({"programs": programs, "parts": []})
        (init.instance.home / "plan.json").write_text(plan)
        return init

    yield make
    for init in made:
        init.close()


SUPERVISOR: tuple[tuple[str, type[google_message.Message], google_message.Message], ...] = (
    (
        "SetPolicy",
        jlaunchd_pb2.SetPolicyRequest,
        jlaunchd_pb2.SetPolicyReply(modules=["rpd", "dcd"]),
    ),
    (
        "Reload",
        jlaunchd_pb2.ReloadRequest,
        jlaunchd_pb2.ReloadReply(added=["x"], removed=["y"], changed=["z"]),
    ),
    ("Start", jlaunchd_pb2.StartRequest, jlaunchd_pb2.StartReply()),
    ("Stop", jlaunchd_pb2.StopRequest, jlaunchd_pb2.StopReply()),
    ("Clear", jlaunchd_pb2.ClearRequest, jlaunchd_pb2.ClearReply()),
)


@dataclass(slots=True)
class FakeModule:
    """Answers as any module, as mgd and as jlaunchd."""

    answers: Mapping[str, Json]
    arguments: dict[str, str] = field(default_factory=dict)
    text: str = ""
    restarted: list[tuple[str, int]] = field(default_factory=list)
    asked: list[google_message.Message] = field(default_factory=list)
    """What jlaunchd was asked besides."""

    def handlers(self) -> Iterator[grpc.GenericRpcHandler]:
        """Its methods, by service."""
        yield grpc.method_handlers_generic_handler(
            "jprotos.runtime.v1.Runtime",
            {
                "Get": grpc.unary_unary_rpc_method_handler(
                    self.get,
                    runtime_pb2.GetRequest.FromString,
                    runtime_pb2.GetReply.SerializeToString,
                )
            },
        )
        yield grpc.method_handlers_generic_handler(
            "jprotos.mgd.v1.Configuration",
            {
                "Load": grpc.unary_unary_rpc_method_handler(
                    self.load,
                    mgd_pb2.LoadRequest.FromString,
                    mgd_pb2.LoadReply.SerializeToString,
                ),
                "Show": grpc.unary_unary_rpc_method_handler(
                    lambda request, context: mgd_pb2.ShowReply(text=self.text, revision=7),
                    mgd_pb2.ShowRequest.FromString,
                    mgd_pb2.ShowReply.SerializeToString,
                ),
            },
        )
        yield grpc.method_handlers_generic_handler(
            "jprotos.jlaunchd.v1.Supervisor",
            {
                "Restart": grpc.unary_unary_rpc_method_handler(
                    self.restart,
                    jlaunchd_pb2.RestartRequest.FromString,
                    jlaunchd_pb2.RestartReply.SerializeToString,
                ),
                **{
                    name: grpc.unary_unary_rpc_method_handler(
                        self.ask(reply), request.FromString, type(reply).SerializeToString
                    )
                    for name, request, reply in SUPERVISOR
                },
            },
        )

    def get(
        self, request: runtime_pb2.GetRequest, context: grpc.ServicerContext
    ) -> runtime_pb2.GetReply:
        """Operational data, from the table."""
        if b"operator" not in context.auth_context()["peer_dns"]:
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "cannot let a stranger")
        self.arguments = dict(request.arguments)
        if request.name not in self.answers:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"cannot get {request.name!r}: no")
        return runtime_pb2.GetReply(json=json.dumps(self.answers[request.name]))

    def load(
        self, request: mgd_pb2.LoadRequest, context: grpc.ServicerContext
    ) -> mgd_pb2.LoadReply:
        """Takes every text without the word "bad"."""
        if "bad" in request.text:
            problems = [mgd_pb2.Problem(line=1, column=2, message="bad"), mgd_pb2.Problem()]
            return mgd_pb2.LoadReply(problems=problems)
        self.text = request.text
        return mgd_pb2.LoadReply(revision=7)

    def ask(
        self, reply: google_message.Message
    ) -> Callable[[google_message.Message, grpc.ServicerContext], google_message.Message]:
        """A method that notes what was asked, and answers this."""

        def method(
            request: google_message.Message, context: grpc.ServicerContext
        ) -> google_message.Message:
            self.asked.append(request)
            return reply

        return method

    def restart(
        self, request: jlaunchd_pb2.RestartRequest, context: grpc.ServicerContext
    ) -> jlaunchd_pb2.RestartReply:
        """Notes what was asked."""
        if request.name == "dcd":
            context.abort(grpc.StatusCode.ABORTED, "cannot restart dcd: it is stopping")
        self.restarted.append((request.name, request.how))
        return jlaunchd_pb2.RestartReply(pid=48721, incarnation=2)


ServeModule = Callable[..., AbstractContextManager[FakeModule]]


@pytest.fixture
def serve_module() -> ServeModule:
    """Serves a module's RPC socket while the block runs."""

    @contextmanager
    def serve(
        chosen: Instance, name: str, answers: Mapping[str, Json] | None = None
    ) -> Iterator[FakeModule]:
        module = FakeModule(answers or {})
        server = grpc.server(futures.ThreadPoolExecutor(2))
        server.add_generic_rpc_handlers(tuple(module.handlers()))
        make_module_folder(chosen.run_dir, name)
        credentials = make_identity(chosen.run_dir, name).server_credentials()
        server.add_secure_port(f"unix:{chosen.rpc_socket(name)}", credentials)
        server.start()
        try:
            yield module
        finally:
            server.stop(1).wait()

    return serve


def require_gone(chosen: Instance, timeout: float = 5.0) -> None:
    """Fail when anything of the instance stays; after a SIGKILL the kernel needs a moment."""
    deadline = time.monotonic() + timeout
    while left := leftovers(chosen):
        assert time.monotonic() < deadline, left
        time.sleep(0.005)


RequireGone = Callable[[Instance], None]


@pytest.fixture(name="require_gone")
def require_gone_fixture() -> RequireGone:
    """`require_gone`, for tests."""
    return require_gone


MakeStatus = Callable[..., dict[str, Json]]
MakeRecord = Callable[..., dict[str, Json]]


@pytest.fixture
def module() -> MakeStatus:
    """`module_status`, for tests."""
    return module_status


@pytest.fixture
def record() -> MakeRecord:
    """`event_record`, for tests."""
    return event_record
