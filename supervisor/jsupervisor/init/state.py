"""How init is to run an instance, and where the instance's end stands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """How to run one instance; whoever starts init has made the folders and taken the lock."""

    instance: str
    profile: str
    architecture: str
    home: str
    run_dir: str
    lock_fd: int
    lifeline_fd: int = -1
    """The instance stops when this descriptor reaches its end; -1 for an instance on its own."""
    jlaunchd: tuple[str, ...] = ()
    launcher: tuple[str, ...] = ()
    cgroups: bool = True
    standby: bool = False
    """Does a second jlaunchd wait for the death of the first?"""
    heartbeats: bool = True
    """Are jlaunchd and the launchers pinged? Without it init wakes up for events alone."""


@dataclass(slots=True)
class Stopping:
    """Where an orderly stop stands."""

    asked: bool = False
    by_us: bool = False
    deadline_ns: int = 0
