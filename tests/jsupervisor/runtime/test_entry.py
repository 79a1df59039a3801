"""From an order's entry to a class."""

from __future__ import annotations

import pytest

from jsupervisor.runtime.daemon import Daemon
from jsupervisor.runtime.entry import EntryError, load


def test_an_entry_names_a_class() -> None:
    assert Daemon is load("jsupervisor.runtime.daemon:Daemon")


@pytest.mark.parametrize(
    "entry", ["", "json", "no.such:Thing", "json:Missing", "json:loads", "json:"]
)
def test_any_other_entry_is_refused_in_one_line(entry: str) -> None:
    with pytest.raises(EntryError, match=r"^cannot run .*[^\n]$"):
        load(entry)
