"""What is changed while a producer is dead."""

from __future__ import annotations

from pathlib import Path

import pytest

from jsupervisor.demo import lab
from jsupervisor.demo.changes import Stage, change_for
from jsupervisor.demo.lab import Inputs, ThirdPeer
from jsupervisor.paths import Instance


class Router:
    """Remembers what it was told to load."""

    def __init__(self, folder: Path) -> None:
        self.instance = Instance("x", folder, folder)
        self.loaded: list[str] = []

    def load_config(self, text: str) -> None:
        """As of the real one."""
        self.loaded.append(text)


@pytest.fixture
def router(tmp_path: Path) -> Router:
    (tmp_path / "config").mkdir()
    return Router(tmp_path)


@pytest.fixture
def stage(router: Router, tmp_path: Path) -> Stage:
    return Stage(router, ThirdPeer(tmp_path), Inputs())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("module", "field"), [("rpd", "static"), ("dcd", "address"), ("mgd", "edited")]
)
def test_a_change_flips_its_own_input_and_flips_it_back(
    stage: Stage, module: str, field: str
) -> None:
    change = change_for(module)
    assert change is not None
    change.flip(stage)
    there = stage.inputs
    present = change.present(stage)
    change.flip(stage)

    assert present
    assert Inputs(**{field: True}) == there
    assert Inputs() == stage.inputs
    assert not change.present(stage)


def test_what_rpd_and_dcd_hear_is_loaded_through_mgd(stage: Stage, router: Router) -> None:
    for module in ("rpd", "dcd"):
        change = change_for(module)
        assert change is not None
        change.flip(stage)

    assert [
        lab.config(Inputs(static=True)),
        lab.config(Inputs(static=True, address=True)),
    ] == router.loaded


def test_what_mgd_reads_is_edited_on_disk(stage: Stage, router: Router) -> None:
    change = change_for("mgd")
    assert change is not None
    change.flip(stage)
    path = router.instance.config_dir / "juniper.conf"

    assert lab.config(Inputs(edited=True)) == path.read_text()
    assert [path] == list(router.instance.config_dir.iterdir())
    assert [] == router.loaded


@pytest.mark.parametrize("module", ["chassisd", "pfectl0", "pfectl1"])
def test_those_who_tell_of_ports_miss_a_link(module: str) -> None:
    change = change_for(module)

    assert change is not None
    assert lab.THIRD_PREFIX == change.prefix


@pytest.mark.parametrize("module", ["eventd", "alarmd", "pfe0", "jlaunchd", "launcher"])
def test_those_who_produce_nothing_of_the_table_have_no_change(module: str) -> None:
    assert None is change_for(module)
