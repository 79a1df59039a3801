"""System calls that no module needs are refused, by a BPF program made by hand for each role.

A deny-list: an allow-list would have to follow whatever Python, gRPC and glibc call next, and a router
that dies of an upgrade of libc is no safer. What is refused answers EPERM, so that a library which
merely probes goes on; three kinds end the process (SIGSYS), because no honest code makes them: loading
a kernel or a module of it, and calls by another instruction set's numbers, which would pass the list.

io_uring is refused because its requests pass seccomp by. clone3 answers ENOSYS: its flags lie in
memory, where seccomp cannot look, and glibc then falls back to clone. Signals, priorities and limits
may be meant for the process itself alone: its pid is put into the program after the fork, the rest of
which is made before. The kernel remembers which calls pass without a look at their arguments.
"""

from __future__ import annotations

import ctypes
import errno
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from jsupervisor.containment import kernel
from jsupervisor.containment.roles import Role
from jsupervisor.containment.syscalls import MACHINES, known

PR_SET_SECCOMP: Final = 22
MODE_FILTER: Final = 2

_LOAD: Final = 0x20
_IF_EQUAL: Final = 0x15
_IF_ANY_BIT: Final = 0x45
_IF_AT_LEAST: Final = 0x35
_RETURN: Final = 0x06
_NUMBER: Final = 0
_MACHINE: Final = 4
_ARGUMENTS: Final = 16
_X32: Final = 0x40000000

_ALLOW: Final = 0x7FFF0000
_KILL: Final = 0x80000000
_ERROR: Final = 0x00050000
_AUDIT: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CLONE_THREAD: Final = 0x00010000
_NAMESPACES: Final = 0x7E020000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET."""

DEADLY: Final = ("init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load")

REFUSED: Final = (
    # other processes' memory, descriptors and pages
    *("ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease"),
    *("kcmp", "move_pages", "migrate_pages", "pidfd_getfd", "userfaultfd", "perf_event_open"),
    # the file tree and namespaces
    *("mount", "umount2", "mount_setattr", "move_mount", "open_tree", "fsopen", "fsmount"),
    *("fsconfig", "fspick", "pivot_root", "chroot", "unshare", "setns", "mknod", "mknodat"),
    *("open_by_handle_at", "name_to_handle_at", "fanotify_init", "quotactl", "quotactl_fd"),
    # the kernel itself
    *("bpf", "io_uring_setup", "io_uring_enter", "io_uring_register", "syslog", "lookup_dcookie"),
    *("add_key", "keyctl", "request_key", "nfsservctl", "uselib", "acct"),
    # the machine
    *("swapon", "swapoff", "reboot", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex"),
    *("sethostname", "setdomainname", "iopl", "ioperm", "modify_ldt", "vhangup", "personality"),
)
"""Refused with EPERM, whatever the role."""

EXECUTING: Final = ("execve", "execveat", "fork", "vfork", "pidfd_open", "pidfd_send_signal")
"""Refused as well, unless the role runs programs."""

OWN_PID_FIRST: Final = ("kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo")
SELF_FIRST: Final = (
    *("prlimit64", "sched_setaffinity"),
    *("sched_setscheduler", "sched_setparam", "sched_setattr"),
)
SELF_SECOND: Final = ("setpriority", "ioprio_set")


@dataclass(frozen=True, slots=True)
class Filter:
    """A program without the pid it is for."""

    code: bytes
    pid_at: tuple[int, ...]
    """Where in the code the pid goes."""

    def program(self, pid: int) -> bytes:
        """The program for the process `pid`, whose number is that of its own namespace."""
        code = bytearray(self.code)
        for offset in self.pid_at:
            struct.pack_into("=I", code, offset, pid)
        return bytes(code)


class _Assembler:
    """Instructions one after another; jumps count the instructions to skip."""

    def __init__(self, machine: str) -> None:
        self.machine = machine
        self.code = bytearray()
        self.pid_at: list[int] = []

    def add(self, code: int, value: int, if_true: int = 0, if_false: int = 0) -> None:
        self.code += struct.pack("=HBBI", code, if_true, if_false, value)

    def when_equal(self, value: int, action: int) -> None:
        self.add(_IF_EQUAL, value, 0, 1)
        self.add(_RETURN, action)

    def refuse(self, names: Iterable[str], action: int) -> None:
        """End here for each of these calls that the machine has."""
        for name in names:
            number = known(name, self.machine)
            if number is not None:
                self.when_equal(number, action)

    def only_self(self, names: Iterable[str], argument: int, *, zero: bool) -> None:
        """Let these calls pass only with the own pid (or 0, which also means it) as an argument."""
        for name in names:
            number = known(name, self.machine)
            if number is None:
                continue
            self.add(_IF_EQUAL, number, 0, 5 if zero else 4)
            self.add(_LOAD, _ARGUMENTS + 8 * argument)
            if zero:
                self.add(_IF_EQUAL, 0, 1, 0)
            self.pid_at.append(len(self.code) + 4)
            self.add(_IF_EQUAL, 0, 0, 1)
            self.add(_RETURN, _ALLOW)
            self.add(_RETURN, _ERROR | errno.EPERM)

    def only_threads(self) -> None:
        """clone makes threads and nothing else."""
        number = known("clone", self.machine)
        assert number is not None
        self.add(_IF_EQUAL, number, 0, 5)
        self.add(_LOAD, _ARGUMENTS)
        self.add(_IF_ANY_BIT, _NAMESPACES, 2, 0)
        self.add(_IF_ANY_BIT, _CLONE_THREAD, 0, 1)
        self.add(_RETURN, _ALLOW)
        self.add(_RETURN, _ERROR | errno.EPERM)

    def no_namespaces(self) -> None:
        """clone makes processes, but in no namespace of their own."""
        number = known("clone", self.machine)
        assert number is not None
        self.add(_IF_EQUAL, number, 0, 4)
        self.add(_LOAD, _ARGUMENTS)
        self.add(_IF_ANY_BIT, _NAMESPACES, 1, 0)
        self.add(_RETURN, _ALLOW)
        self.add(_RETURN, _ERROR | errno.EPERM)

    def only_families(self, families: Iterable[int]) -> None:
        """socket makes sockets of these families; others answer as where the kernel lacks them."""
        allowed = tuple(families)
        number = known("socket", self.machine)
        assert number is not None
        self.add(_IF_EQUAL, number, 0, len(allowed) + 3)
        self.add(_LOAD, _ARGUMENTS)
        for index, family in enumerate(allowed):
            self.add(_IF_EQUAL, family, len(allowed) - index, 0)
        self.add(_RETURN, _ERROR | errno.EAFNOSUPPORT)
        self.add(_RETURN, _ALLOW)


def build(role: Role, families: Iterable[int], machine: str) -> Filter | None:
    """The filter of a role; None for a machine whose numbers are not known here."""
    if machine not in MACHINES:
        return None
    asm = _Assembler(machine)
    asm.add(_LOAD, _MACHINE)
    asm.add(_IF_EQUAL, _AUDIT[machine], 1, 0)
    asm.add(_RETURN, _KILL)
    asm.add(_LOAD, _NUMBER)
    if machine == "x86_64":
        asm.add(_IF_AT_LEAST, _X32, 0, 1)
        asm.add(_RETURN, _KILL)
    asm.refuse(DEADLY, _KILL)
    asm.refuse(REFUSED, _ERROR | errno.EPERM)
    asm.refuse(("clone3",), _ERROR | errno.ENOSYS)
    if role.executes:
        asm.no_namespaces()
    else:
        asm.refuse(EXECUTING, _ERROR | errno.EPERM)
        asm.refuse(("tkill",), _ERROR | errno.EPERM)
        asm.only_self(OWN_PID_FIRST, 0, zero=False)
        asm.only_self(SELF_FIRST, 0, zero=True)
        asm.only_self(SELF_SECOND, 1, zero=True)
        asm.only_threads()
    asm.only_families(families)
    asm.add(_RETURN, _ALLOW)
    return Filter(bytes(asm.code), tuple(asm.pid_at))


def install(program: bytes) -> None:
    """Hold this thread, and all it starts, to a program; for ever. Raises OSError.

    Needs no_new_privs. Other threads that run already are not held.
    """
    code = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(
        struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    )
    kernel.prctl(PR_SET_SECCOMP, MODE_FILTER, ctypes.addressof(header))
