"""Chassis profiles: what a product line consists of, as data. See docs/how-to/add-a-profile.md."""

from __future__ import annotations

from pathlib import Path


def profile_names() -> list[str]:
    """The profiles that come with jsupervisor, by name."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.toml"))


def profile_path(name: str) -> Path:
    """The file of a profile that `profile_names` lists; raises KeyError for another."""
    if name not in profile_names():
        raise KeyError(name)
    return Path(__file__).parent / f"{name}.toml"
