"""Words of the descriptor store that both runtimes share."""

from __future__ import annotations

from collections.abc import Mapping

from jsupervisor.initproto import Json


class DescriptorError(Exception):
    """init refused a descriptor; the text says why."""


class DescriptorExists(DescriptorError):
    """`put` of a key that is taken (get it, or drop it first), or that belongs to another module."""


class InitGone(Exception):
    """The connection to init closed: init is dead, and so is this process in a moment."""


def check_put(key: str, answer: Mapping[str, Json]) -> None:
    """Raise DescriptorExists unless init took the descriptor."""
    if answer.get("op") != "done":
        raise DescriptorExists(f"cannot put {key}: {answer.get('why')}")


def check_get(key: str, answer: Mapping[str, Json], fds: list[int]) -> int | None:
    """The descriptor that came, None when there is none; raises DescriptorError."""
    if answer.get("op") == "done" and fds:
        return fds[0]
    why = str(answer.get("why"))
    if "there is no" in why:
        return None
    raise DescriptorError(f"cannot get {key}: {why}")


def check_drop(key: str, answer: Mapping[str, Json]) -> None:
    """Raise DescriptorError unless init dropped it or never had it."""
    why = str(answer.get("why"))
    if answer.get("op") != "done" and "there is no" not in why:
        raise DescriptorError(f"cannot drop {key}: {why}")
