"""A health check asked as any outsider would."""

from __future__ import annotations

from pathlib import Path

import pytest

from jsupervisor.faults.health import serving
from jsupervisor.testing import Router


@pytest.mark.system
def test_a_module_that_is_ready_serves(router: Router) -> None:
    assert serving(router.instance.socket("rpd"))


def test_a_socket_that_is_not_there_does_not_serve(tmp_path: Path) -> None:
    assert not serving(tmp_path / "rpd.sock", timeout=0.05)
