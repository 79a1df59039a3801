"""What docs/how-to/add-a-profile.md says is so: its example is a profile, its errors are these."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from jsupervisor.cli.chassis_check import check_chassis
from jsupervisor.jlaunchd.plan import Plan
from jsupervisor.jlaunchd.profile import parse_plan
from jsupervisor.jlaunchd.reader import PlanError

PAGE = Path(__file__).parents[2] / "docs/how-to/add-a-profile.md"
TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLE = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)[0]
ERRORS = re.findall(r"^\| `(.+)` \| `(cannot .+)` \|$", TEXT, re.MULTILINE)

GOOD = """
profile.name = "x"
chassis.model = "x"
chassis.fpc = [{ slot = 0, pic = [{ slot = 0, ports = 1 }] }]
program.rpd.entry = "jdaemons.rpd.daemon:Rpd"
"""


def use(text: str) -> Plan:
    plan = parse_plan(text, "FILE")
    check_chassis("FILE", plan.chassis)
    return plan


def mentioned(table: Mapping[str, object]) -> set[str]:
    keys = set(table)
    for value in table.values():
        for inner in value if isinstance(value, list) else [value]:
            keys |= mentioned(inner) if isinstance(inner, dict) else set()
    return keys


def test_the_example_is_a_good_profile_with_its_own_rule_for_rpd() -> None:
    plan = use(EXAMPLE)

    assert "two-slots" == plan.profile
    assert (5, 60.0) == (plan.program("rpd").policy.intensity, plan.program("rpd").policy.period)
    assert 3 == plan.program("mgd").policy.intensity


def test_every_key_of_the_example_is_explained() -> None:
    explained = TEXT.replace(EXAMPLE, "")
    names = {"eventd", "alarmd", "chassisd", "mgd", "dcd", "rpd", "pfe2", "pfectl2", "routing"}
    keys = mentioned(tomllib.loads(EXAMPLE)) - names - {"xe-2/1/0", "engine"}

    assert set() == {key for key in keys if not re.search(rf"\b{key}\b", explained)}


@pytest.mark.parametrize(("line", "error"), ERRORS)
def test_each_error_is_as_the_page_says(line: str, error: str) -> None:
    # A key of the good profile gives way; what is no TOML stands alone.
    key = line.partition(" = ")[0]
    kept = [each for each in GOOD.splitlines() if not each.startswith(f"{key} =")]
    text = line if line == "[profile" else "\n".join([*kept, line])

    with pytest.raises(PlanError) as caught:
        use(text)

    assert error == str(caught.value)


def test_there_are_errors_to_check() -> None:
    assert len(ERRORS) >= 20
