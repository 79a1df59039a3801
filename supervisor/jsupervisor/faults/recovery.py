"""When a fault was noticed and when the successor was there, out of event records. Pure.

The times are those that init and the modules stamped themselves (CLOCK_MONOTONIC), so an observer
that was busy, or that looked late, changes no figure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from jsupervisor.observer.events import EventRecord


@dataclass(frozen=True, slots=True)
class Recovery:
    """What has become known of one victim; times in ns, 0 while unknown."""

    detected_ns: int = 0
    detected_by: str = ""
    """`exit` or `hang`."""
    exit_cause: str = ""
    exited_ns: int = 0
    serving_ns: int = 0
    ready_ns: int = 0
    incarnation: int = 0
    """The successor's."""
    held: str = ""
    """Why there will be no successor."""

    @property
    def over(self) -> bool:
        """Is there nothing more to wait for?"""
        return bool(self.ready_ns or self.held)


def read(records: Iterable[EventRecord], name: str, incarnation: int) -> Recovery:
    """What the records tell about the end of `name` incarnation `incarnation` and its successor."""
    recovery = Recovery()
    for record in records:
        if record.name != name:
            continue
        if record.incarnation > incarnation:
            recovery = _successor(recovery, record)
        elif record.incarnation == incarnation:
            recovery = _victim(recovery, record)
    return recovery


def _victim(recovery: Recovery, record: EventRecord) -> Recovery:
    if record.event in ("exit", "hang") and not recovery.detected_ns:
        recovery = replace(recovery, detected_ns=record.monotonic_ns, detected_by=record.event)
    if record.event == "exit" and not recovery.exited_ns:
        recovery = replace(recovery, exited_ns=record.monotonic_ns, exit_cause=record.cause)
    if record.event in ("thrash", "failed"):
        recovery = replace(recovery, held=f"{record.event}: {record.next or record.cause}")
    return recovery


def _successor(recovery: Recovery, record: EventRecord) -> Recovery:
    if record.event == "ready" and not recovery.ready_ns:
        return replace(recovery, ready_ns=record.monotonic_ns, incarnation=record.incarnation)
    if record.event == "serving" and not recovery.serving_ns:
        return replace(recovery, serving_ns=record.monotonic_ns)
    if record.event in ("thrash", "failed"):
        return replace(recovery, held=f"{record.event}: {record.next or record.cause}")
    return recovery
