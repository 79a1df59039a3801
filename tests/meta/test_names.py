"""Names are the same wherever they stand: in the table of names, the profiles, the callers, the pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jchassis import profile_names, profile_path
from jsupervisor.jlaunchd.profile import load_plan
from jsupervisor.runtime.callers import ALLOWED, OPERATOR
from jsupervisor.runtime.entry import load
from jsupervisor.runtime.names import NAMES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("profile", profile_names())
def test_every_program_of_a_profile_is_in_the_table_of_names(profile: str) -> None:
    programs = load_plan(profile_path(profile)).programs

    assert set() == {program.executable for program in programs} - set(NAMES)


@pytest.mark.parametrize("profile", profile_names())
def test_every_entry_of_a_profile_is_there(profile: str) -> None:
    for program in load_plan(profile_path(profile)).programs:
        assert callable(load(program.entry))


def test_every_allowed_caller_has_a_name() -> None:
    callers = frozenset().union(*ALLOWED.values())

    assert set() == callers - set(NAMES) - {OPERATOR}


def test_readme_calls_every_process_by_its_names() -> None:
    picture = (ROOT / "README.md").read_text().partition("## The processes")[2]
    rows = re.findall(r"^ [├└]─ (\w+?)\d? +([\w-]+)   ", picture, re.MULTILINE)
    shown = {executable: cli_name for executable, cli_name in rows if executable in NAMES}

    assert {name: NAMES[name].cli_name for name in shown} == shown
    assert len(shown) >= 8
