"""From an order to a cell."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jsupervisor.containment.cells import Cells, outermost
from jsupervisor.containment.cgroups import GroupLimits
from jsupervisor.containment.credentials import Identity
from jsupervisor.containment.limits import Limits
from jsupervisor.containment.machine import Machine
from jsupervisor.initproto import Json, Message

WITH_UIDS = Machine(landlock=7, seccomp="x86_64", no_uids="")
WITHOUT = Machine(landlock=7, seccomp="x86_64")


def order(folder: Path, executable: str = "rpd", **changes: Json) -> Message:
    """An order as jlaunchd sends it."""
    confinement: Json = {"role": "", "limits": {}, "uid": 70002, "groups": [70000, 70001]}
    return {
        "name": executable,
        "executable": executable,
        "home": str(folder / "home"),
        "run_dir": str(folder / "run"),
        "ports": {},
        "parts": [],
        "confinement": confinement,
        **changes,
    }


def test_an_order_without_a_word_on_it_has_no_cell(tmp_path: Path) -> None:
    assert None is Cells(WITHOUT).cell({"name": "rpd"})
    assert None is Cells(WITHOUT).cell(order(tmp_path, confinement={}))


def test_a_cell_has_the_roles_paths_limits_and_filter(tmp_path: Path) -> None:
    cell = Cells(WITH_UIDS).cell(order(tmp_path, "mgd"))

    assert cell is not None
    assert ("mgd", Identity(70002, (70000, 70001))) == (cell.role.name, cell.identity)
    assert (f"{tmp_path}/home/config",) == cell.owns
    assert {f"{tmp_path}/run/mgd", f"{tmp_path}/home/config"} <= set(cell.paths.writes)
    assert Limits(memory_mb=4096, files=1024, processes=256) == cell.limits
    assert (None, ()) != (cell.filter, cell.paths.reads)
    assert (GroupLimits(), False) == (cell.group_limits, cell.notes)


def test_without_uids_there_is_no_identity(tmp_path: Path) -> None:
    cell = Cells(WITHOUT).cell(order(tmp_path))

    assert cell is not None
    assert None is cell.identity


def test_the_filter_of_a_role_is_made_once(tmp_path: Path) -> None:
    cells = Cells(WITHOUT)
    one, other = cells.cell(order(tmp_path)), cells.cell(order(tmp_path))

    assert one is not None and other is not None
    assert one.filter is other.filter is not None


def test_an_unknown_role_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="cannot confine as 'nobody'"):
        Cells(WITHOUT).cell(order(tmp_path, confinement={"role": "nobody"}))


def test_none_has_neither_filter_nor_limits_of_ours(tmp_path: Path) -> None:
    cell = Cells(WITH_UIDS).cell(order(tmp_path, confinement={"role": "none", "limits": {}}))

    assert cell is not None
    assert (None, Limits(), False) == (cell.filter, cell.limits, cell.role.confined)


def test_the_plans_limits_of_a_group_ask_for_one(tmp_path: Path) -> None:
    limits: Json = {"resident_mb": 64, "cpu_percent": 50}
    cell = Cells(WITHOUT).cell(order(tmp_path, confinement={"role": "", "limits": limits}))

    assert cell is not None
    assert GroupLimits(resident_mb=64, cpu_percent=50, processes=256) == cell.group_limits


def test_ports_bring_rights_notes_and_their_folders(tmp_path: Path) -> None:
    ports: Json = {"ge-0/0/0": f"unix:{tmp_path}/run/port", "ge-0/0/1": "udp:1,2"}
    (tmp_path / "run").mkdir()
    cell = Cells(WITH_UIDS).cell(order(tmp_path, "pfe", ports=ports))

    assert cell is not None
    assert {"CAP_NET_ADMIN", "CAP_NET_BIND_SERVICE"} == set(cell.capabilities)
    assert {f"{tmp_path}/run", f"{tmp_path}/run/links.70002"} <= set(cell.paths.writes)
    assert cell.notes


def test_a_port_in_a_closed_folder_needs_the_right_to_write_there(tmp_path: Path) -> None:
    closed, everybodys = tmp_path / "closed", tmp_path / "everybodys"
    closed.mkdir(mode=0o700)
    everybodys.mkdir()
    everybodys.chmod(0o1777)
    for folder, needed in ((closed, True), (everybodys, False), (tmp_path / "none", True)):
        ports: Json = {"ge-0/0/0": f"unix:{folder}/port"}
        cell = Cells(WITH_UIDS).cell(order(tmp_path, "pfe", ports=ports))

        assert cell is not None
        assert needed == ("CAP_DAC_OVERRIDE" in cell.capabilities)


def test_rpd_has_no_rights_because_of_ports(tmp_path: Path) -> None:
    cell = Cells(WITH_UIDS).cell(order(tmp_path, ports={"ge-0/0/0": "veth:left"}))

    assert cell is not None
    assert ((), False) == (cell.capabilities, cell.notes)


def test_a_process_with_parts_has_the_folders_of_all(tmp_path: Path) -> None:
    parts: Json = [{"name": name, "executable": name} for name in ("mgd", "rpd")]
    cell = Cells(WITH_UIDS).cell(order(tmp_path, "router", parts=parts))

    assert cell is not None
    assert ("router", "mgd", "rpd") == cell.members
    assert {f"{tmp_path}/run/{name}" for name in cell.members} <= set(cell.paths.writes)


def test_code_above_the_instances_files_is_not_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = tmp_path / "code"
    code.mkdir()
    monkeypatch.setattr("sys.path", ["", "/", str(tmp_path), str(code)])
    monkeypatch.chdir("/")
    cell = Cells(WITHOUT).cell(order(tmp_path))

    assert cell is not None
    assert str(code) in cell.paths.reads
    assert not {"/", str(tmp_path)} & set(cell.paths.reads)


def test_of_paths_in_one_another_the_outermost_is_kept(tmp_path: Path) -> None:
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    (tmp_path / "link").symlink_to("a")
    paths = [str(inside), str(tmp_path / "a"), str(tmp_path / "link"), str(tmp_path / "none")]

    assert (os.path.realpath(tmp_path / "a"),) == outermost(paths)
