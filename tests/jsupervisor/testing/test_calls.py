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


def test_a_call_to_nobody_says_that_nobody_is_there(nobody: Calls) -> None:
    says = "cannot reach instance x: it is not running"
    with pytest.raises(HarnessError, match=says):
        nobody.show("rpd", "x", {}, 0.05)
    with pytest.raises(HarnessError, match=says):
        nobody.sessions("rpd", 0.05)
    with pytest.raises(HarnessError, match=says):
        nobody.load("", 0.05)
    with pytest.raises(HarnessError, match=says):
        nobody.restart("rpd", "soft", 0.05)


@pytest.mark.system
def test_one_channel_outlives_the_module_it_leads_to(router: Router) -> None:
    before = router.sessions()
    router.inject("kill", "dcd")

    assert before == router.sessions()
