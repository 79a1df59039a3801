"""A child from its fork to the moment when it is the program that it was told to be.

It waits, with everything done that is the same for all, and does the rest when it is told: log, user,
limits, folder, environment, descriptors. What it cannot do it says, and exits.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import resource
import signal
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Final, NoReturn

from jsupervisor import linux
from jsupervisor.initproto import Connection, Json, Message, MessageError

NAME: Final = "jinit-unborn"
PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
FAILED: Final = 127
"""Exit code of a child that could not become the program; what went wrong comes over a pipe."""
SAID: Final = 4096
"""Bytes that it says at most."""
Files = tuple[int, int]
"""The limits of open files, soft and hard, that init began with."""
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
_EXAMPLE: Final[Mapping[str, Json]] = {
    "name": "", "instance": "", "incarnation": 0, "command": ["/bin/true"], "cwd": "/", "user": "",
    "env": {"PATH": PATH}, "limits": {"files": None}, "log": "/dev/null", "readiness": "fd:3",
    "address": "", "watchdog_usec": 0,
}  # fmt: skip
"""What a program may be told, to rehearse with."""


def wait_to_be(channel: socket.socket, parent: int, files: Files) -> NoReturn:
    """Prepare what is the same for all, wait to be told what to be, and become it."""
    try:
        signal.set_wakeup_fd(-1)
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.setsid()
        os.umask(0o022)
        linux.set_process_name(NAME)
        linux.die_with_parent()
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        _rehearse()
        told = Connection(channel).receive() if os.getppid() == parent else None
        if told is not None:
            _become(*told, parent, files)
    except (OSError, MessageError):
        pass  # nobody to tell
    finally:
        os._exit(FAILED)


def _rehearse() -> None:
    """Take now what the first use of each page after a fork costs: it is a fifth of the way to the program."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        Connection(theirs).send(_EXAMPLE, [0, 0])
        told = Connection(ours).receive()
    assert told is not None
    spec, fds = told
    with suppress(OSError):  # it is no file
        linux.open_log(str(spec["log"]))
    _change_user(str(spec["user"]), _environment(spec))
    linux.die_with_parent()
    os.chdir(str(spec["cwd"]))
    _limit(spec)
    for fd in fds:
        os.close(fd)


def _become(spec: Message, fds: list[int], parent: int, files: Files) -> NoReturn:
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
