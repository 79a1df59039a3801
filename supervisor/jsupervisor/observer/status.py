"""The status of an instance as typed values, out of what init answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jsupervisor.initproto import Json


@dataclass(frozen=True, slots=True)
class ModuleStatus:
    """One module, or jlaunchd or the launcher, at one moment."""

    name: str
    executable: str
    pid: int | None
    incarnation: int
    state: str
    """down, starting, up, stopping, backoff, failed."""
    socket: str | None
    """Path of the plain socket; None where there is no gRPC (the engine)."""
    restarts: int
    last_cause: str
    policy: str = ""
    """Of the restart policy that judges it: its name, or its numbers."""
    group: str = ""
    failures: int = 0
    """Those that still count against its policy."""
    waits_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SpareStatus:
    """A warm successor of a module at one moment."""

    name: str
    """The module's."""
    incarnation: int
    """The one that it would be."""
    state: str
    """made, waiting, called."""
    pid: int | None


@dataclass(frozen=True, slots=True)
class InstanceStatus:
    """A whole instance at one moment."""

    instance: str
    profile: str
    architecture: str
    init_pid: int
    jlaunchd: ModuleStatus
    launcher: ModuleStatus
    modules: tuple[ModuleStatus, ...]
    spares: tuple[SpareStatus, ...] = ()

    def find(self, name: str) -> ModuleStatus:
        """A module, jlaunchd or launcher; raises KeyError."""
        for known in (self.jlaunchd, self.launcher, *self.modules):
            if known.name == name:
                return known
        raise KeyError(name)

    @property
    def all_up(self) -> bool:
        """Is there a module, and are all of them ready?"""
        return bool(self.modules) and all(module.state == "up" for module in self.modules)


def parse(status: Mapping[str, Json]) -> InstanceStatus:
    """The status in init's answer; what is missing there is empty here."""
    return InstanceStatus(
        instance=_text(status, "instance"),
        profile=_text(status, "profile"),
        architecture=_text(status, "architecture"),
        init_pid=_number(_table(status, "init"), "pid"),
        jlaunchd=_module({**_table(status, "jlaunchd"), "name": "jlaunchd"}),
        launcher=_module({**_table(status, "launcher"), "name": "launcher"}),
        modules=tuple(_module(module) for module in _tables(status, "modules")),
        spares=tuple(_spare(spare) for spare in _tables(status, "spares")),
    )


def _module(table: Mapping[str, Json]) -> ModuleStatus:
    socket, waits = table.get("socket"), table.get("waits_for")
    return ModuleStatus(
        name=_text(table, "name"),
        executable=_text(table, "executable"),
        pid=_number(table, "pid") or None,
        incarnation=_number(table, "incarnation"),
        state=_text(table, "state"),
        socket=socket if isinstance(socket, str) else None,
        restarts=_number(table, "restarts"),
        last_cause=_text(table, "last_cause"),
        policy=_text(table, "policy"),
        group=_text(table, "group"),
        failures=_number(table, "failures"),
        waits_for=tuple(str(name) for name in waits) if isinstance(waits, list) else (),
    )


def _spare(table: Mapping[str, Json]) -> SpareStatus:
    return SpareStatus(
        name=_text(table, "name"),
        incarnation=_number(table, "incarnation"),
        state=_text(table, "state"),
        pid=_number(table, "pid") or None,
    )


def _tables(table: Mapping[str, Json], key: str) -> list[Mapping[str, Json]]:
    value = table.get(key)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _table(table: Mapping[str, Json], key: str) -> Mapping[str, Json]:
    value = table.get(key)
    return value if isinstance(value, dict) else {}


def _text(table: Mapping[str, Json], key: str) -> str:
    value = table.get(key)
    return value if isinstance(value, str) else ""


def _number(table: Mapping[str, Json], key: str) -> int:
    value = table.get(key)
    return value if isinstance(value, int) else 0
