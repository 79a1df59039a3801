"""Filters: interpreted here for both machines, and put into force in children on this one."""

from __future__ import annotations

import errno
import os
import signal
import socket
import struct
import threading
from collections.abc import Callable

import pytest

from jsupervisor.containment import kernel, limits, seccomp
from jsupervisor.containment.roles import AF_INET, AF_UNIX, ROLES, Role
from jsupervisor.containment.syscalls import MACHINES, NUMBERS, known

AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
ALLOW, KILL = 0x7FFF0000, 0x80000000
EPERM = 0x50000 | errno.EPERM
PID = 4711
HERE = kernel.architecture()
here = pytest.mark.skipif(HERE not in MACHINES, reason=f"no filter for {HERE}")
RPD, WORKER = ROLES["rpd"], ROLES["worker"]

Attempt = Callable[[], object]


def verdict(
    machine: str, call: str | int, *arguments: int, role: Role = RPD, audit: int | None = None
) -> int:
    """What the filter of a role answers, by interpreting it."""
    built = seccomp.build(role, (AF_UNIX,), machine)
    assert built is not None
    code = built.program(PID)
    number = known(call, machine) if isinstance(call, str) else call
    assert number is not None
    values = [*arguments, 0, 0, 0, 0, 0, 0][:6]
    data = struct.pack("=iIQ6Q", number, audit or AUDIT[machine], 0, *values)
    at, accumulator = 0, 0
    while True:
        operation, yes, no, value = struct.unpack_from("=HBBI", code, at * 8)
        at += 1
        match operation:
            case 0x20:
                (accumulator,) = struct.unpack_from("=I", data, value)
            case 0x15:
                at += yes if accumulator == value else no
            case 0x35:
                at += yes if accumulator >= value else no
            case 0x45:
                at += yes if accumulator & value else no
            case 0x06:
                return int(value)
            case _:
                raise AssertionError(hex(operation))


@pytest.mark.parametrize("machine", MACHINES)
def test_every_named_call_has_its_answer(machine: str) -> None:
    for call in NUMBERS:
        if known(call, machine) is None:
            continue
        answer = verdict(machine, call)
        if call in seccomp.DEADLY:
            assert KILL == answer, call
        elif call in (*seccomp.REFUSED, *seccomp.EXECUTING, "tkill"):
            assert EPERM == answer, call
    assert 0x50000 | errno.ENOSYS == verdict(machine, "clone3")


@pytest.mark.parametrize("machine", MACHINES)
def test_what_is_not_named_passes(machine: str) -> None:
    assert [ALLOW] * 3 == [verdict(machine, number) for number in (0, 1, 300 + 100)]


def test_another_instruction_sets_numbers_are_deadly() -> None:
    assert KILL == verdict("x86_64", 0, audit=0x40000003)
    assert KILL == verdict("x86_64", 0x40000000 + 59)
    assert KILL == verdict("aarch64", 0, audit=0x40000028)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("call", seccomp.OWN_PID_FIRST)
def test_signals_go_to_the_process_itself_alone(machine: str, call: str) -> None:
    targets = (PID, 1, 0, -1 & 0xFFFFFFFFFFFFFFFF, -PID & 0xFFFFFFFFFFFFFFFF)

    assert [ALLOW, *[EPERM] * 4] == [verdict(machine, call, target) for target in targets]


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("call", [*seccomp.SELF_FIRST, *seccomp.SELF_SECOND])
def test_priorities_and_limits_are_its_own_alone(machine: str, call: str) -> None:
    first = () if call in seccomp.SELF_FIRST else (0,)

    assert [ALLOW, ALLOW, EPERM] == [verdict(machine, call, *first, pid) for pid in (0, PID, 1)]


@pytest.mark.parametrize("machine", MACHINES)
def test_clone_makes_threads_and_never_namespaces(machine: str) -> None:
    flags = {0x11: EPERM, 0x3D0F00: ALLOW, 0x3D0F00 | 0x40000000: EPERM, 0x10000011: EPERM}

    assert flags == {flag: verdict(machine, "clone", flag) for flag in flags}


@pytest.mark.parametrize("machine", MACHINES)
def test_a_worker_starts_programs_but_no_namespaces(machine: str) -> None:
    assert ALLOW == verdict(machine, "execve", role=WORKER)
    assert ALLOW == verdict(machine, "kill", 1, role=WORKER)
    assert [ALLOW, EPERM] == [
        verdict(machine, "clone", flags, role=WORKER) for flags in (0x11, 0x10000011)
    ]
    assert EPERM == verdict(machine, "ptrace", role=WORKER)


@pytest.mark.parametrize("machine", MACHINES)
def test_only_the_roles_families_make_sockets(machine: str) -> None:
    answers = [verdict(machine, "socket", family) for family in (AF_UNIX, AF_INET, 16, 17, 40)]

    assert [ALLOW, *[0x50000 | errno.EAFNOSUPPORT] * 4] == answers


def test_a_machine_that_is_not_known_has_no_filter() -> None:
    assert None is seccomp.build(RPD, (AF_UNIX,), "riscv64")


# -- in force -------------------------------------------------------------------------------------


def sealed(attempt: Attempt) -> Attempt:
    """The attempt, in a process that holds itself to rpd's filter."""

    def run() -> object:
        limits.no_new_privs()
        built = seccomp.build(RPD, (AF_UNIX,), HERE)
        assert built is not None
        seccomp.install(built.program(os.getpid()))
        return attempt()

    return run


def start_a_thread() -> str:
    said: list[str] = []
    thread = threading.Thread(target=lambda: said.append("hello"))
    thread.start()
    thread.join()
    return said[0]


@here
@pytest.mark.parametrize(
    ("attempt", "code"),
    [
        (os.fork, errno.EPERM),
        (lambda: os.execv("/bin/true", ["true"]), errno.EPERM),
        (lambda: os.kill(os.getppid(), 0), errno.EPERM),
        (lambda: os.kill(0, 0), errno.EPERM),
        (lambda: os.setpriority(os.PRIO_PROCESS, os.getppid(), 5), errno.EPERM),
        (lambda: socket.socket(socket.AF_INET), errno.EAFNOSUPPORT),
        (lambda: kernel.unshare(0x10000000), errno.EPERM),
    ],
)
def test_the_kernel_refuses(
    in_child: Callable[[Attempt], object], attempt: Attempt, code: int
) -> None:
    with pytest.raises(OSError) as caught:
        in_child(sealed(attempt))

    assert code == caught.value.errno


@here
@pytest.mark.parametrize(
    "attempt",
    [
        start_a_thread,
        lambda: os.kill(os.getpid(), 0),
        lambda: signal.raise_signal(signal.SIGCONT),
        lambda: socket.socket(socket.AF_UNIX).close(),
        lambda: os.close(os.memfd_create("x")),
        lambda: os.getpriority(os.PRIO_PROCESS, 0),
    ],
)
def test_the_kernel_lets_pass(in_child: Callable[[Attempt], object], attempt: Attempt) -> None:
    in_child(sealed(attempt))


@here
def test_a_module_that_loads_a_kernel_module_is_killed(
    in_child: Callable[[Attempt], object],
) -> None:
    with pytest.raises(Exception, match=str(int(signal.SIGSYS))):
        in_child(sealed(lambda: kernel.syscall("init_module", 0, 0, 0)))
