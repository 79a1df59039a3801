"""Every fault can be named, and nonsense is answered with the kinds there are."""

from __future__ import annotations

from pathlib import Path

import pytest

import jsupervisor.faults
from jsupervisor.faults.registry import FAULTS, KINDS, parse

MACHINERY = {"__init__", "fault", "registry", "recovery", "injection", "health"}


def test_every_kind_of_the_contract_is_there() -> None:
    assert {
        *("kill", "segv", "abort", "stop", "exit:N", "exception"),
        *("spin", "spin-c", "deadlock", "block-pool"),
    } == set(KINDS)


@pytest.mark.parametrize("kind", [*FAULTS, "exit:0", "exit:255"])
def test_a_kind_reads_as_itself(kind: str) -> None:
    assert kind == parse(kind).kind


@pytest.mark.parametrize("kind", ["", "KILL", "exit", "exit:", "exit:-1", "exit:x", "kill:9"])
def test_an_unknown_kind_is_answered_with_those_there_are(kind: str) -> None:
    with pytest.raises(ValueError, match=r"cannot inject .*: the kinds are kill, segv"):
        parse(kind)


def test_an_exit_status_has_eight_bits() -> None:
    with pytest.raises(ValueError, match="cannot inject exit:256"):
        parse("exit:256")


def test_each_fault_has_a_file_and_each_file_a_fault() -> None:
    folder = Path(str(jsupervisor.faults.__file__)).parent
    files = {path.stem for path in folder.glob("*.py")} - MACHINERY

    assert files == {kind.partition(":")[0].replace("-", "_") for kind in KINDS}


def test_only_faults_that_leave_the_process_alive_wait_for_the_supervisor() -> None:
    hangs = {"stop", "spin", "spin-c", "deadlock", "block-pool"}

    assert hangs == {kind for kind, fault in FAULTS.items() if not fault.ends}
