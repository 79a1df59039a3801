"""A plan that is read again: with the same choices, and with what is different told."""

from __future__ import annotations

from pathlib import Path

import pytest

from jsupervisor.jlaunchd.plan import MONOLITH, without_heartbeats
from jsupervisor.jlaunchd.policy import POLICIES
from jsupervisor.jlaunchd.reader import PlanError
from jsupervisor.jlaunchd.replan import Difference, difference, reread, resolve

HEAD = '[profile]\nname = "p"\n'
A = '[program.a]\nentry = "m:A"\n'
B = '[program.b]\nentry = "m:B"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A profile of a."""
    path = tmp_path / "p.toml"
    path.write_text(HEAD + A, encoding="utf-8")
    return path


def test_what_start_was_told_holds_after_a_reload_too(file: Path) -> None:
    plan = resolve(file, policy="erlang")
    file.write_text(HEAD + A + B, encoding="utf-8")
    again = reread(plan)

    assert [POLICIES["erlang"]] * 2 == [program.policy for program in again.programs]


def test_heartbeats_that_were_switched_off_stay_so(file: Path) -> None:
    plan = without_heartbeats(resolve(file))
    file.write_text(HEAD + A + B, encoding="utf-8")
    again = reread(plan)

    assert [None, None] == [program.heartbeat for program in again.programs]
    assert not again.heartbeats
    assert resolve(file).heartbeats


def test_a_monolith_stays_one(file: Path) -> None:
    again = reread(resolve(file, architecture="monolithic"))

    assert [MONOLITH] == [program.name for program in again.programs]


def test_a_file_that_is_gone_or_wrong_is_one_clear_line(file: Path) -> None:
    plan = resolve(file)
    file.write_text("[", encoding="utf-8")
    with pytest.raises(PlanError, match=f"^cannot read profile {file}: "):
        reread(plan)
    file.unlink()
    with pytest.raises(PlanError, match=f"^cannot read profile {file}: No such file"):
        reread(plan)


def test_what_is_different_is_told_by_name(file: Path) -> None:
    old = resolve(file)
    file.write_text(HEAD + B + A.replace("m:A", "m:X"), encoding="utf-8")
    new = reread(old)

    assert Difference(added=("b",), removed=(), changed=("a",)) == difference(old, new)
    assert Difference(added=(), removed=("b",), changed=("a",)) == difference(new, old)


def test_another_policy_or_order_changes_no_process(file: Path) -> None:
    old = resolve(file)
    file.write_text(
        HEAD + A + 'policy = "systemd"\nstop_timeout = 1\nrestart = "transient"\n', encoding="utf-8"
    )

    assert Difference((), (), ()) == difference(old, reread(old))


def test_other_ports_concern_everybody(file: Path) -> None:
    old = resolve(file)
    file.write_text(HEAD + A + '[chassis]\nmodel = "x"\n', encoding="utf-8")

    assert ("a",) == difference(old, reread(old)).changed
