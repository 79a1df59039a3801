"""Durations, sizes and rates in as few characters as an eye needs. Pure."""

from __future__ import annotations

from typing import Final

NONE: Final = "-"
_UNITS: Final = ((86400.0, "d", 3600.0, "h"), (3600.0, "h", 60.0, "m"), (60.0, "m", 1.0, "s"))


def age(seconds: float | None) -> str:
    """How long something has been: 7s, 3m12s, 2h05m, 4d03h."""
    if seconds is None:
        return NONE
    seconds = max(0.0, seconds)
    for size, unit, part, name in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)}{unit}{int(seconds % size // part):02}{name}"
    return f"{int(seconds)}s"


def span(seconds: float | None) -> str:
    """How long something took: 0.4ms, 59ms, 1.25s, 34.0s, 3m12s."""
    if seconds is None:
        return NONE
    seconds = max(0.0, seconds)
    if seconds < 0.00995:
        return f"{seconds * 1e3:.1f}ms"
    if seconds < 0.9995:
        return f"{seconds * 1e3:.0f}ms"
    if seconds < 9.995:
        return f"{seconds:.2f}s"
    return f"{seconds:.1f}s" if seconds < 59.95 else age(seconds)


def size(octets: int | None) -> str:
    """Memory: 512K, 55M, 1.2G."""
    if octets is None:
        return NONE
    if octets < 1 << 20:
        return f"{octets >> 10}K"
    return f"{octets >> 20}M" if octets < 1 << 30 else f"{octets / (1 << 30):.1f}G"


def percent(value: float | None) -> str:
    """Of one processor: 0.4, 12.5, 101."""
    if value is None:
        return NONE
    return f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def rate(value: float | None) -> str:
    """Per second: 0, 0.4, 12, 3.4k."""
    if value is None:
        return NONE
    if value < 0.05:
        return "0"
    if value < 9.95:
        return f"{value:.1f}"
    return f"{value:.0f}" if value < 999.5 else f"{value / 1e3:.1f}k"


def count(number: int | None) -> str:
    """A number, or nothing known."""
    return NONE if number is None else str(number)
