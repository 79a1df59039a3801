"""Programs that are not ours: init itself forks and executes them, and hears that they are ready.

init is their parent from the start, so there is no reservation that somebody would have to claim, and no
duplicate by construction: the table's row and the fork are one turn of a single thread. What can block
(a look into the user database, a slow disk) is done by the child.

A program says that it is ready by a newline on a descriptor (as with s6), by a datagram (sd_notify(3)), or
by having been executed at all. The socket for datagrams belongs to the program's name, not to one
incarnation. It is muted from readiness on, until a supervisor wants to read it.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import resource
import signal
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

from jsupervisor import linux, sdnotify
from jsupervisor.init.table import Process
from jsupervisor.initproto import Connection, Json, Message, MessageError

if TYPE_CHECKING:
    from jsupervisor.init.server import Init

PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
FAILED: Final = 127
"""Exit code of a child that could not become the program; what went wrong comes over a pipe."""
SAID: Final = 4096
"""Bytes read at a time of what a child writes."""
_LIMITS: Final[Mapping[str, tuple[int, int]]] = {
    "memory_mb": (resource.RLIMIT_AS, 1 << 20),
    "files": (resource.RLIMIT_NOFILE, 1),
    "processes": (resource.RLIMIT_NPROC, 1),
    "cpu_seconds": (resource.RLIMIT_CPU, 1),
    "core_bytes": (resource.RLIMIT_CORE, 1),
}
_SIGNALS: Final = tuple(
    getattr(signal, name)
    for name in ("SIGCHLD", "SIGTERM", "SIGINT", "SIGHUP", "SIGPIPE", "SIGXFSZ")
)
"""Those that Python or init has changed."""


@dataclass(slots=True)
class Birth:
    """One program until it is ready."""

    process: Process
    errors: int
    readiness: int = -1
    error: str = ""
    """Why it could not be executed."""


@dataclass(slots=True)
class Unborn:
    """A child that waits to be told what it is."""

    pid: int
    channel: socket.socket


class Foreigners:
    """All programs of ours that are not of our making.

    One child is always forked ahead, once there has been a program: a fork and its page faults take
    longer than all the rest of a restart.
    """

    def __init__(self, init: Init) -> None:
        self._init = init
        self._births: dict[int, Birth] = {}
        self._sockets: dict[str, socket.socket] = {}
        self._unborn: list[Unborn] = []
        self._files = resource.getrlimit(resource.RLIMIT_NOFILE)
        """As it was before init raised its own: programs may rely on the usual one."""
        self.wanting = False
        """Is a child to be forked ahead, when there is nothing else to do?"""

    @property
    def unborn(self) -> set[int]:
        """The pids of those that wait."""
        return {unborn.pid for unborn in self._unborn}

    def provide(self) -> None:
        """Fork ahead; what cannot be forked now is forked when it is needed."""
        self.wanting = False
        try:
            self._unborn.append(self._conceive())
        except OSError:
            pass

    def lost(self, pid: int) -> None:
        """A child is dead: if it waited, it waits no more."""
        for unborn in [each for each in self._unborn if each.pid == pid]:
            self._unborn.remove(unborn)
            unborn.channel.close()
            self._init.trees.lost(pid)

    def start(self, process: Process) -> None:
        """Execute a program that has just been reserved; raises OSError, KeyError or TypeError."""
        spec = process.order["foreign"]
        if not isinstance(spec, dict):
            raise TypeError("foreign is not an object")
        kind = str(spec["readiness"])
        errors, errors_w = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        readiness = readiness_w = -1
        try:
            if kind.startswith("fd:"):
                readiness, readiness_w = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
                os.set_blocking(readiness_w, True)
            address = self._socket(process.name) if kind == "notify" else ""
            told = {**spec, **_names(process), "address": address}
            pid = self._deliver(told, [fd for fd in (errors_w, readiness_w) if fd >= 0])
        except BaseException:
            for fd in (errors, readiness):
                if fd >= 0:
                    os.close(fd)
            raise
        finally:
            for fd in (errors_w, readiness_w):
                if fd >= 0:
                    os.close(fd)
        self.wanting = True
        stat = linux.process_stat(pid)
        start_time = stat.start_time if stat is not None else 0
        self._init.table.claim(process.name, process.incarnation, pid, start_time)
        birth = self._births[pid] = Birth(process, errors, readiness)
        self._init.watch(errors, lambda: self._executed(birth))
        if readiness >= 0:
            self._init.watch(readiness, lambda: self._written(birth))
        if kind == "notify":
            self._init.watch(self._sockets[process.name].fileno(), lambda: self._noticed(birth))

    def _deliver(self, told: Mapping[str, Json], fds: list[int]) -> int:
        """Tell a child what it is; its pid. One that has died meanwhile is passed over."""
        while self._unborn:
            unborn = self._unborn.pop()
            try:
                _tell(unborn.channel, told, fds)
            except ConnectionError:
                continue
            finally:
                unborn.channel.close()
            return unborn.pid
        unborn = self._conceive()
        with unborn.channel:
            _tell(unborn.channel, told, fds)
        return unborn.pid

    def _conceive(self) -> Unborn:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                ours.setblocking(False)
                parent = os.getpid()
                pid = self._init.trees.fork()
            except BaseException:
                ours.close()
                raise
            if pid == 0:
                ours.close()
                _wait(theirs, parent, self._files)
        return Unborn(pid, ours)

    def ended(self, process: Process) -> str:
        """It is dead: why it could not be executed, or nothing."""
        birth = self._births.pop(process.pid, None)
        if birth is None:
            return ""
        self._read_error(birth)
        self._close(birth)
        return birth.error

    def unheard(self) -> None:
        """The supervisor is dead: nobody who is ready is to wait until its successor reads."""
        unready = {birth.process.name for birth in self._births.values()}
        for name, kept in self._sockets.items():
            if name not in unready:
                sdnotify.mute(kept)

    # -- what a newborn says ----------------------------------------------------------------------

    def _executed(self, birth: Birth) -> None:
        """The pipe has closed: it was executed, or it could not be and said why."""
        if not self._current(birth):
            return
        self._read_error(birth)
        spec = birth.process.order["foreign"]
        if not birth.error and isinstance(spec, dict) and spec["readiness"] == "none":
            self._ready(birth)

    def _current(self, birth: Birth) -> bool:
        """False when it has ended, or become ready, in this very turn of init's loop."""
        return self._births.get(birth.process.pid) is birth

    def _read_error(self, birth: Birth) -> None:
        if birth.errors < 0:
            return
        try:
            text = os.read(birth.errors, SAID).decode(errors="replace")
        except BlockingIOError:
            return  # it is dead already, and somebody else holds the pipe: a fork that lives on
        self._init.unwatch(birth.errors)
        os.close(birth.errors)
        birth.errors, birth.error = -1, text

    def _written(self, birth: Birth) -> None:
        """Something was written to the readiness descriptor, or its last writer has closed it."""
        if not self._current(birth):
            return
        data = os.read(birth.readiness, SAID)
        if b"\n" in data:
            self._ready(birth)
        elif not data:
            self._init.unwatch(birth.readiness)
            os.close(birth.readiness)
            birth.readiness = -1

    def _noticed(self, birth: Birth) -> None:
        """Datagrams of sd_notify(3), of the program itself or of what it has started."""
        if not self._current(birth):
            return
        for notice in sdnotify.read(self._sockets[birth.process.name]):
            if b"READY=1" in notice.words and sdnotify.belongs(notice.sender, birth.process.pid):
                self._ready(birth)
                return

    def _ready(self, birth: Birth) -> None:
        self._births.pop(birth.process.pid, None)
        self._close(birth)
        self._init.table.report(birth.process.pid, "ready", time.monotonic_ns())
        self._init.reported(birth.process, "ready")

    def _close(self, birth: Birth) -> None:
        for fd in (birth.errors, birth.readiness):
            if fd >= 0:
                self._init.unwatch(fd)
                os.close(fd)
        birth.errors = birth.readiness = -1
        kept = self._sockets.get(birth.process.name)
        if kept is not None:
            self._init.unwatch(kept.fileno())
            sdnotify.mute(kept)

    def _socket(self, name: str) -> str:
        """The address of the program's datagram socket, without what was sent to a predecessor."""
        if name not in self._sockets:
            kept = self._sockets[name] = sdnotify.receiver()
            self._init.store.entrust(f"{name}/notify", os.dup(kept.fileno()))
        kept = self._sockets[name]
        while len(sdnotify.read(kept)) == sdnotify.BATCH:
            sdnotify.mute(kept)  # so that there is an end to it
        sdnotify.unmute(kept)
        return sdnotify.address(kept)


def _names(process: Process) -> dict[str, Json]:
    return {
        "instance": process.order.get("instance"),
        "name": process.name,
        "incarnation": process.incarnation,
    }


def _tell(channel: socket.socket, told: Mapping[str, Json], fds: list[int]) -> None:
    Connection(channel).send(told, fds)


# -- in the child -----------------------------------------------------------------------------------


def _wait(channel: socket.socket, parent: int, files: tuple[int, int]) -> NoReturn:
    """Prepare what is the same for all, wait to be told what to be, and become it."""
    try:
        signal.set_wakeup_fd(-1)
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.setsid()
        os.umask(0o022)
        linux.set_process_name("jinit-unborn")
        linux.die_with_parent()
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        told = Connection(channel).receive() if os.getppid() == parent else None
        if told is not None:
            _become(*told, parent, files)
    except (OSError, MessageError):
        pass  # nobody to tell
    finally:
        os._exit(FAILED)


def _become(spec: Message, fds: list[int], parent: int, files: tuple[int, int]) -> NoReturn:
    """Execute the program; what goes wrong is written to the first descriptor."""
    errors = fds[0]
    try:
        log = linux.open_log(str(spec["log"]))
        os.dup2(log, 1)
        os.dup2(log, 2)
        environment = _environment(spec)
        _change_user(str(spec["user"]), environment)
        linux.die_with_parent()  # once more: another user has cleared it
        if os.getppid() != parent:
            os._exit(FAILED)
        os.chdir(str(spec["cwd"]))
        if len(fds) > 1:
            errors = _place(errors, fds[1], int(str(spec["readiness"]).removeprefix("fd:")))
        resource.setrlimit(resource.RLIMIT_NOFILE, files)
        _limit(spec)
        command = spec["command"]
        assert isinstance(command, list)
        _execute([str(word) for word in command], environment)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the supervisor is told
        os.write(errors, _reason(error, spec).encode()[:SAID])
    finally:
        os._exit(FAILED)


def _execute(arguments: list[str], environment: dict[str, str]) -> NoReturn:
    """Raises OSError that names the command as its file does, not where it was looked for last."""
    try:
        os.execvpe(arguments[0], arguments, environment)
    except OSError as error:
        raise OSError(error.errno, error.strerror, arguments[0]) from None


def _place(errors: int, readiness: int, number: int) -> int:
    """Make `readiness` the program's descriptor `number`; where `errors` is from then on."""
    try:
        errors = fcntl.fcntl(errors, fcntl.F_DUPFD_CLOEXEC, number + 1)
        if readiness == number:
            os.set_inheritable(number, True)
        else:
            os.dup2(readiness, number)
    except OSError as error:
        raise OSError(error.errno, error.strerror, f"descriptor {number}") from None
    return errors


def _reason(error: BaseException, spec: Mapping[str, Json]) -> str:
    if isinstance(error, OSError):
        return f"{error.strerror}: {error.filename or spec['name']}"
    return str(error) or repr(error)


def _limit(spec: Mapping[str, Json]) -> None:
    limits = spec["limits"]
    assert isinstance(limits, dict)
    for name, (which, unit) in _LIMITS.items():
        value = limits.get(name)
        if isinstance(value, int):
            hard = resource.getrlimit(which)[1]
            wanted = value * unit
            if hard != resource.RLIM_INFINITY:
                wanted = min(wanted, hard)
            resource.setrlimit(which, (wanted, wanted))


def _environment(spec: Mapping[str, Json]) -> dict[str, str]:
    """What the program finds: little, and what its file says."""
    environment = {
        "PATH": PATH,
        "JSUPERVISOR_INSTANCE": str(spec["instance"]),
        "JSUPERVISOR_PROGRAM": str(spec["name"]),
        "JSUPERVISOR_INCARNATION": str(spec["incarnation"]),
    }
    if address := str(spec["address"]):
        environment["NOTIFY_SOCKET"] = address
    if isinstance(watchdog := spec.get("watchdog_usec"), int):
        environment["WATCHDOG_USEC"], environment["WATCHDOG_PID"] = str(watchdog), str(os.getpid())
    told = spec["env"]
    assert isinstance(told, dict)
    return environment | {name: str(value) for name, value in told.items()}


def _change_user(user: str, environment: dict[str, str]) -> None:
    """Become the user, if one is named; raises OSError or LookupError."""
    home, name = HOME
    if user:
        try:
            known = pwd.getpwnam(user)
        except KeyError:
            raise LookupError(f"there is no user {user!r}") from None
        home, name = known.pw_dir, known.pw_name
        if known.pw_uid != os.getuid():
            try:
                os.setgroups(os.getgrouplist(known.pw_name, known.pw_gid))
                os.setresgid(known.pw_gid, known.pw_gid, known.pw_gid)
                os.setresuid(known.pw_uid, known.pw_uid, known.pw_uid)
            except OSError as error:
                raise OSError(error.errno, error.strerror, f"user {user}") from None
    environment.setdefault("HOME", home)
    environment.setdefault("USER", name)


def _own_home() -> tuple[str, str]:
    try:
        known = pwd.getpwuid(os.getuid())
    except KeyError:
        return "/", str(os.getuid())
    return known.pw_dir, known.pw_name


HOME: Final = _own_home()
"""Of the user that init runs as: home and name, looked up once."""
