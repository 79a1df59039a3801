"""Whatever a measurement starts ends with it, and so do its files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from bench.supervisors import enclosure
from bench.supervisors.enclosure import CellError, measure, remove_group

pytestmark = pytest.mark.system
SLEEP = f"600.{os.getpid()}"


@pytest.fixture(autouse=True)
def echo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enclosure, "MODULE", "tests.bench.supervisors.echo")


def sleepers() -> list[str]:
    """The processes that were left behind."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            command = Path(f"/proc/{entry}/cmdline").read_text()
        except OSError:
            continue
        if command == f"sleep\0{SLEEP}\0":
            found.append(entry)
    return found


def test_rows_come_back_and_neither_a_process_nor_a_file_is_left() -> None:
    (row,) = measure({"way": "good", "sleep": SLEEP}, own_cgroup=False, timeout=30)

    assert not Path(str(row["folder"])).exists()
    assert [] == sleepers()


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_root_measures_in_a_pid_namespace() -> None:
    (row,) = measure({"way": "good", "sleep": SLEEP}, own_cgroup=False, timeout=30)

    assert 1 == row["pid"]


def test_a_measurement_that_fails_says_why() -> None:
    with pytest.raises(CellError, match="cannot measure that"):
        measure({"way": "fail", "sleep": SLEEP}, own_cgroup=False, timeout=30)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_measurement_that_hangs_is_ended_with_all_that_it_started() -> None:
    with pytest.raises(CellError, match=r"cannot finish within 1 s"):
        measure({"way": "hang", "sleep": SLEEP}, own_cgroup=False, timeout=1)

    assert [] == sleepers()


def test_a_control_group_is_removed_with_those_below_it(tmp_path: Path) -> None:
    (tmp_path / "group" / "a" / "b").mkdir(parents=True)
    remove_group(tmp_path / "group")

    assert not (tmp_path / "group").exists()
    remove_group(tmp_path / "group")
