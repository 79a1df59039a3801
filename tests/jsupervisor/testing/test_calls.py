"""Calls as the operator: every failure is one line that begins with "cannot"."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jsupervisor.paths import Instance
from jsupervisor.testing import HarnessError, Router
from jsupervisor.testing.calls import Calls


@pytest.fixture
def nobody(tmp_path: Path) -> Iterator[Calls]:
    """Calls to an instance that does not run."""
    calls = Calls(Instance("x", tmp_path / "home", tmp_path))
    yield calls
    calls.close()


def test_a_call_to_nobody_ends_with_its_deadline(nobody: Calls) -> None:
    with pytest.raises(HarnessError, match="cannot get x of rpd"):
        nobody.show("rpd", "x", {}, 0.05)
    with pytest.raises(HarnessError, match="cannot get the sessions of rpd"):
        nobody.sessions("rpd", 0.05)
    with pytest.raises(HarnessError, match="cannot load the configuration"):
        nobody.load("", 0.05)
    with pytest.raises(HarnessError, match="cannot restart rpd"):
        nobody.restart("rpd", "soft", 0.05)


@pytest.mark.system
def test_one_channel_outlives_the_module_it_leads_to(router: Router) -> None:
    before = router.sessions()
    router.inject("kill", "dcd")

    assert before == router.sessions()
