"""Resource limits and no_new_privs.

RLIMIT_AS counts address space, not memory: gRPC and numpy reserve hundreds of megabytes that they never
touch, so it is a net under a leak and no measure of use. RLIMIT_NPROC counts everything of one uid; it
is set only where that uid is the module's own. No kernel core is written unless a plan asks for it:
what a post-mortem needs is kept otherwise, and a core holds whatever the module knew.
"""

from __future__ import annotations

import resource
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from jsupervisor.containment import kernel
from jsupervisor.containment.roles import Role

MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one process may use; None is as much as there is."""

    memory_mb: int | None = None
    files: int | None = None
    processes: int | None = None
    cpu_seconds: int | None = None
    core_bytes: int = 0

    @classmethod
    def of(cls, role: Role, plan: Mapping[str, object]) -> Self:
        """The plan's numbers, and the role's where the plan has none."""
        return cls(
            memory_mb=number(plan, "memory_mb", role.memory_mb),
            files=number(plan, "files", role.files),
            processes=number(plan, "processes", role.processes),
            cpu_seconds=number(plan, "cpu_seconds", None),
            core_bytes=number(plan, "core_bytes", 0) or 0,
        )

    def apply(self, *, own_uid: bool) -> None:
        """Hold this process to them, at most as high as they stand now; raises OSError."""
        _lower(resource.RLIMIT_CORE, self.core_bytes)
        _lower(resource.RLIMIT_AS, None if self.memory_mb is None else self.memory_mb * MIB)
        _lower(resource.RLIMIT_NOFILE, self.files)
        _lower(resource.RLIMIT_CPU, self.cpu_seconds)
        if own_uid:
            _lower(resource.RLIMIT_NPROC, self.processes)


def no_new_privs() -> None:
    """From here on nothing that is executed gains rights; for ever. Raises OSError."""
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)


def no_core() -> None:
    """This process leaves no core."""
    _lower(resource.RLIMIT_CORE, 0)


def _lower(which: int, value: int | None) -> None:
    """Soft and hard limit; a hard limit that is lower already stays."""
    if value is None:
        return
    hard = resource.getrlimit(which)[1]
    wanted = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (wanted, wanted))


def number(plan: Mapping[str, object], key: str, default: int | None = None) -> int | None:
    """A plan's number, or the default where it has none."""
    value = plan.get(key)
    return value if isinstance(value, int) else default
