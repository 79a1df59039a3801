"""Who runs and which sessions stand, as nobody but the kernel and the sessions' clients say.

jlaunchd's word is not asked: a supervisor that restarts too much, or forgets a module, must not be
the one who says so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from jsupervisor.observer.processes import ProcessId
from jsupervisor.testing.sessions import Session, dropped_among_others


@dataclass(frozen=True, slots=True)
class View:
    """One look at a running instance."""

    processes: Mapping[str, ProcessId]
    """By module: monolithic, the same process under every name."""
    sessions: tuple[Session, ...]


def restarted(before: View, after: View, victims: Collection[str]) -> list[str]:
    """Modules that are no victims and whose process is another one, or gone."""
    return sorted(
        name
        for name, process in before.processes.items()
        if name not in victims and after.processes.get(name) != process
    )


def sessions_dropped(before: View, after: View, victims: Collection[str]) -> list[str]:
    """Sessions dropped among modules that are no victims, as "consumer<-producer topic"."""
    keys = dropped_among_others(before.sessions, after.sessions, victims)
    return [f"{consumer}<-{producer} {topic}" for consumer, producer, topic in keys]


def settled(view: View) -> bool:
    """Does every session stand, and has each heard all there is?"""
    return all(session.connected and session.synced for session in view.sessions)
