"""Finds the class that an order names."""

from __future__ import annotations

from importlib import import_module


class EntryError(Exception):
    """An order's entry cannot be used; the text says why. The profile or the release is wrong."""


def load(entry: str) -> type:
    """The class "package.module:Class"; raises EntryError."""
    module_name, separator, class_name = entry.partition(":")
    if not separator:
        raise EntryError(f"cannot run {entry!r}: it is not package.module:Class")
    try:
        module = import_module(module_name)
    except ImportError as error:
        raise EntryError(f"cannot run {entry!r}: {error}") from error
    found = getattr(module, class_name, None)
    if not isinstance(found, type):
        raise EntryError(f"cannot run {entry!r}: {module_name} has no class {class_name}")
    return found
