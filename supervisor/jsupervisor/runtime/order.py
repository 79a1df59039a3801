"""What a process is told when it is started: one frozen value, JSON on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from jsupervisor.initproto import Json


class OrderError(Exception):
    """An order cannot be read; the text names the field. The sender is of another version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Everything a module knows before it has spoken to anybody."""

    instance: str
    name: str
    """Unique in the instance: "rpd", "pfe0"."""
    executable: str
    incarnation: int
    """Counts from 1."""
    entry: str
    """"package.module:Class"; empty for a process that only hosts parts."""
    run_dir: str
    home: str
    architecture: str = "modular"
    """As the plan's: "modular", "monolithic", "restart-all"."""
    options: Mapping[str, Json] = field(default_factory=dict)
    """The program's own `options` table in the profile."""
    chassis: Mapping[str, Json] = field(default_factory=dict)
    """The profile's chassis section."""
    ports: Mapping[str, str] = field(default_factory=dict)
    """Interface name to port specification."""
    shares: tuple[str, ...] = ()
    """Whose descriptors this module may put and get, besides its own."""
    parts: tuple[Order, ...] = ()
    """The modules inside, for architecture monolithic."""
    confinement: Mapping[str, Json] = field(default_factory=dict)
    """What its launcher holds it to: role, limits, uid (jsupervisor.containment.cells)."""

    def to_json(self) -> dict[str, Json]:
        """The order as a JSON object."""
        values: dict[str, Json] = {f.name: getattr(self, f.name) for f in fields(self)}
        values["shares"] = list(self.shares)
        values["parts"] = [part.to_json() for part in self.parts]
        return values

    @classmethod
    def from_json(cls, value: Json) -> Order:
        """The order in a JSON object; raises OrderError."""
        if not isinstance(value, Mapping):
            raise OrderError(f"cannot read an order: not an object but {value!r}")
        return cls(
            instance=_text(value, "instance"),
            name=_text(value, "name"),
            executable=_text(value, "executable"),
            incarnation=_count(value, "incarnation"),
            entry=_text(value, "entry"),
            run_dir=_text(value, "run_dir"),
            home=_text(value, "home"),
            architecture=_text(value, "architecture"),
            options=_object(value, "options"),
            chassis=_object(value, "chassis"),
            ports={name: str(spec) for name, spec in _object(value, "ports").items()},
            shares=tuple(str(share) for share in _list(value, "shares")),
            parts=tuple(cls.from_json(part) for part in _list(value, "parts")),
            confinement=_object(value, "confinement"),
        )


def _text(value: Mapping[str, Json], key: str) -> str:
    found = value.get(key)
    if not isinstance(found, str):
        raise OrderError(f"cannot read an order: {key} is not a text but {found!r}")
    return found


def _count(value: Mapping[str, Json], key: str) -> int:
    found = value.get(key)
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise OrderError(f"cannot read an order: {key} is not a count from 1 but {found!r}")
    return found


def _object(value: Mapping[str, Json], key: str) -> dict[str, Json]:
    found = value.get(key, {})
    if not isinstance(found, Mapping):
        raise OrderError(f"cannot read an order: {key} is not an object but {found!r}")
    return dict(found)


def _list(value: Mapping[str, Json], key: str) -> list[Json]:
    found = value.get(key, [])
    if isinstance(found, str) or not isinstance(found, list | tuple):
        raise OrderError(f"cannot read an order: {key} is not a list but {found!r}")
    return list(found)
