"""One look at an instance, out of init, jlaunchd and /proc, that survives the absence of each.

Cheap by construction: one datagram to init, one file of /proc for each process, one call to jlaunchd.
The plan is read again only when its file has changed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from jsupervisor.jlaunchd.groups import Group
from jsupervisor.jlaunchd.planfile import read_plan
from jsupervisor.jlaunchd.usage import usage
from jsupervisor.observer.events import EventRecord
from jsupervisor.observer.operator import Operator, OperatorError, Watcher
from jsupervisor.observer.status import InstanceStatus
from jsupervisor.paths import Instance
from jsupervisor.top.link import Link, LinkError
from jsupervisor.top.samples import Snapshot, Use, counts_of

STATUS_SECONDS = 1.0


class Source:
    """Looks at one instance; belongs to one thread."""

    def __init__(self, instance: Instance, link: Link) -> None:
        self._instance = instance
        self._link = link
        self._operator: Operator | None = None
        self._watcher: Watcher | None = None
        self._plan_stamp = (0, 0)
        self._groups: tuple[Group, ...] = ()
        self._policy = ""

    def look(self) -> Snapshot:
        """What everybody says now; waits for none of them longer than a second and a half."""
        try:
            status = self._status()
        except OperatorError as error:
            return Snapshot(at_ns=time.monotonic_ns(), trouble=str(error))
        self._link.boot(status.init_pid)
        self._read_plan()
        snapshot = Snapshot(
            at_ns=time.monotonic_ns(),
            status=status,
            uses=uses_of(status),
            policy=self._policy,
            groups=self._groups,
        )
        try:
            reply = self._link.metrics()
        except LinkError as error:
            return replace(snapshot, trouble=str(error))
        return replace(
            snapshot,
            counts={process.name: counts_of(process) for process in reply.processes},
            counts_ns=reply.monotonic_ns,
            alarms=reply.supervisor.alarms,
        )

    def pushed(self) -> Iterator[EventRecord]:
        """What init has pushed since the call before."""
        if self._watcher is not None and self._watcher.ended:
            self._deafen()
        if self._watcher is None:
            try:
                self._watcher = Watcher(self._instance, STATUS_SECONDS)
            except (OperatorError, OSError):
                return
        self._watcher.pump()
        yield from self._watcher.history.take()

    def _deafen(self) -> None:
        if self._watcher is not None:
            self._watcher.close()
            self._watcher = None

    def close(self) -> None:
        """Close what is open."""
        self._deafen()
        self._hang_up()

    def _status(self) -> InstanceStatus:
        try:
            if self._operator is None:
                self._operator = Operator(self._instance, STATUS_SECONDS)
            return self._operator.status()
        except OperatorError:
            self._hang_up()
            raise

    def _hang_up(self) -> None:
        if self._operator is not None:
            self._operator.close()
            self._operator = None

    def _read_plan(self) -> None:
        path = self._instance.home / "plan.json"
        try:
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_ino)
            if stamp == self._plan_stamp:
                return
            plan = read_plan(path)
        except (OSError, ValueError, KeyError, TypeError):
            return  # as it was: a screen without groups is better than none
        self._plan_stamp = stamp
        self._groups, self._policy = plan.groups, plan.policy


def uses_of(status: InstanceStatus) -> dict[str, Use]:
    """What /proc says of each process in the status, by name."""
    pids = {"init": status.init_pid}
    for each in (status.jlaunchd, status.launcher, *status.modules):
        if each.pid:
            pids[each.name] = each.pid
    found = {}
    for name, pid in pids.items():
        used = usage(pid)
        if used is not None:
            found[name] = Use(
                pid=pid,
                cpu_seconds=used.cpu_seconds,
                resident_bytes=used.resident_bytes,
                started_ns=used.started_ns,
                threads=used.threads,
                open_fds=used.open_fds,
            )
    return found
