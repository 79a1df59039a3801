"""rpd gone bad: it runs as any module of a real router does, and tries what it is asked to try.

Each attack answers "done" with what it got, or how it was refused. The test that boots the router puts
this folder on the modules' path.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import trio

from jdaemons.rpd.daemon import Rpd
from jprotos.mgd.v1 import mgd_pb2, mgd_pb2_grpc
from jsupervisor.initproto import Connection, Json
from jsupervisor.runtime.daemon import Query
from jsupervisor.runtime.descriptors import DescriptorError
from jsupervisor.runtime.rpc import RpcError

Arguments = Mapping[str, str]
PTRACE_ATTACH = 16


class Attacker(Rpd):
    """rpd that does harm on request, through an operational query of each attack's name."""

    def operational(self) -> Mapping[str, Query]:
        """All attacks."""
        attacks = {name: self._attempt(attack) for name, attack in ATTACKS.items()}
        return {**super().operational(), **attacks, "tried": lambda _: self.tried}

    async def run(self, nursery: trio.Nursery) -> None:
        """As rpd; and once, what needs its own connections."""
        await super().run(nursery)
        self.tried: dict[str, Json] = {}
        for key in ("pfe0/image", "mgd/identity", "jlaunchd/ca", "operator/identity"):
            self.tried[key] = await self._get(key)
        self.tried["load"] = await self._load()

    async def _get(self, key: str) -> Json:
        try:
            fd = await self.descriptors.get(key)
        except DescriptorError as error:
            return {"refused": str(error)}
        return {"done": "missing" if fd is None else "got"}

    async def _load(self) -> Json:
        client = self.client("mgd")
        request = mgd_pb2.LoadRequest(text="system { host-name mine; }", user="root")
        method = mgd_pb2_grpc.ConfigurationStub(client.channel).Load
        try:
            await client.unary(method, request, timeout=5)
        except RpcError as error:
            return {"refused": error.code.name}
        return {"done": "loaded"}

    def _attempt(self, attack: Callable[[Arguments], Json]) -> Query:
        def query(arguments: Arguments) -> Json:
            try:
                return {"done": attack(arguments)}
            except OSError as error:
                return {"refused": errno.errorcode.get(error.errno or 0, str(error))}
            except (MemoryError, RuntimeError, ValueError) as error:
                return {"refused": f"{type(error).__name__}: {error}".rstrip(": ")}

        return query


def _signal(arguments: Arguments) -> Json:
    os.kill(int(arguments["pid"]), int(arguments.get("signal", "0")))
    return "sent"


def _pidfd_signal(arguments: Arguments) -> Json:
    signal.pidfd_send_signal(os.pidfd_open(int(arguments["pid"])), signal.SIGCONT)
    return "sent"


def _thread_signal(arguments: Arguments) -> Json:
    libc = ctypes.CDLL(None, use_errno=True)
    pid = int(arguments["pid"])
    _call(libc.syscall(200, pid, 0))  # tkill
    return "sent"


def _ask_init(arguments: Arguments) -> Json:
    connection = Connection.open(arguments["path"], timeout=5.0)
    answer = connection.request({"op": arguments["op"], **_fields(arguments)})
    connection.close()
    if answer.get("op") == "refused":
        raise PermissionError(errno.EPERM, str(answer.get("why")))
    return answer


def _ask_init_from_a_child(arguments: Arguments) -> Json:
    """A double fork, so that init has the asker as its child."""
    ours, theirs = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(0.2)
            try:
                answer = str(_ask_init(arguments))
            except OSError as error:
                answer = f"refused {error}"
            os.write(theirs, answer.encode())
        os._exit(0)
    os.close(theirs)
    with open(ours) as file:
        return file.read()


def _fields(arguments: Arguments) -> dict[str, Json]:
    names = {"victim": "name", "kind": "kind", "role": "role"}
    return {names[key]: value for key, value in arguments.items() if key in names}


def _read(arguments: Arguments) -> Json:
    return Path(arguments["path"]).read_bytes()[:40].decode(errors="replace")


def _list(arguments: Arguments) -> Json:
    return sorted(os.listdir(arguments["path"]))


def _write(arguments: Arguments) -> Json:
    with open(arguments["path"], "r+b") as file:
        return file.write(b"")


def _create(arguments: Arguments) -> Json:
    fd = os.open(arguments["path"], os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
    os.close(fd)
    return "made"


def _remove(arguments: Arguments) -> Json:
    os.unlink(arguments["path"])
    return "removed"


def _execute(arguments: Arguments) -> Json:
    return subprocess.run(["/bin/true"], check=False).returncode


def _fork(arguments: Arguments) -> Json:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return "forked"


def _execute_memory(arguments: Arguments) -> Json:
    fd = os.memfd_create("program")
    os.write(fd, Path("/bin/true").read_bytes())
    os.execve(fd, ["true"], {})


def _trace(arguments: Arguments) -> Json:
    libc = ctypes.CDLL(None, use_errno=True)
    _call(libc.ptrace(PTRACE_ATTACH, int(arguments["pid"]), None, None))
    return "attached"


def _read_memory(arguments: Arguments) -> Json:
    with open(f"/proc/{arguments['pid']}/mem", "rb"):
        return "opened"


def _read_environment(arguments: Arguments) -> Json:
    return len(Path(f"/proc/{arguments['pid']}/environ").read_bytes())


def _descriptors(arguments: Arguments) -> Json:
    return sorted(os.listdir(f"/proc/{arguments['pid']}/fd"))


def _connect(arguments: Arguments) -> Json:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(arguments["path"])
    return "connected"


def _connect_abstract(arguments: Arguments) -> Json:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect("\0" + arguments["address"])
    return "connected"


def _open_socket(arguments: Arguments) -> Json:
    with socket.socket(int(arguments["family"]), int(arguments.get("type", "1"))):
        return "made"


def _allocate(arguments: Arguments) -> Json:
    with mmap.mmap(-1, int(arguments["mb"]) << 20) as memory:
        return len(memory)


def _open_files(arguments: Arguments) -> Json:
    fds = []
    try:
        for _ in range(int(arguments["count"])):
            fds.append(os.dup(2))
        return len(fds)
    finally:
        for fd in fds:
            os.close(fd)


def _start_threads(arguments: Arguments) -> Json:
    done = threading.Event()
    threads = []
    try:
        for _ in range(int(arguments["count"])):
            thread = threading.Thread(target=done.wait, daemon=True)
            thread.start()
            threads.append(thread)
        return len(threads)
    finally:
        done.set()
        for thread in threads:
            thread.join()


def _raise_limit(arguments: Arguments) -> Json:
    resource.setrlimit(resource.RLIMIT_NOFILE, (1 << 20, 1 << 20))
    return "raised"


def _become_root(arguments: Arguments) -> Json:
    os.setuid(0)
    return os.getuid()


def _system_call(arguments: Arguments) -> Json:
    libc = ctypes.CDLL(None, use_errno=True)
    _call(libc.syscall(ctypes.c_long(int(arguments["number"])), 0, 0, 0, 0, 0))
    return "done"


def _set_priority(arguments: Arguments) -> Json:
    os.setpriority(os.PRIO_PROCESS, int(arguments["pid"]), 19)
    return "done"


def _leave_grandchild(arguments: Arguments) -> Json:
    """A double fork with a session of its own; the pid of what stays."""
    ours, theirs = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.setsid()
            for fd in range(3, 256):
                if fd != theirs:
                    try:
                        os.close(fd)
                    except OSError:
                        pass
            os.write(theirs, str(os.getpid()).encode())
            os.close(theirs)
            while True:
                time.sleep(60)
        os._exit(0)
    os.close(theirs)
    with open(ours) as file:
        return int(file.read())


def _status(arguments: Arguments) -> Json:
    fields = {}
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name in ("Uid", "Gid", "Groups", "CapEff", "CapBnd", "NoNewPrivs", "Seccomp"):
            fields[name] = value.split()
    return fields


def _call(result: int) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


ATTACKS: dict[str, Callable[[Arguments], Json]] = {
    name.lstrip("_").replace("_", "-"): function
    for name, function in list(vars(sys.modules[__name__]).items())
    if name.startswith("_")
    and callable(function)
    and getattr(function, "__module__", "") == __name__
    and function not in (_call, _fields)
}
