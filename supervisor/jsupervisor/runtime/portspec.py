"""Placeholder until the packet engine's parser is in the tree."""

from __future__ import annotations


def parse_port_spec(text: str) -> str:
    """Accepts anything."""
    return text
