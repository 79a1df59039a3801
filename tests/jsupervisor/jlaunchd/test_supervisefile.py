"""Files of programs that are not ours: what a good one means, and the line that a bad one gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from jsupervisor.jlaunchd.plan import Foreign, Heartbeat, Limits
from jsupervisor.jlaunchd.policy import POLICIES, Backoff, RestartPolicy
from jsupervisor.jlaunchd.reader import PlanError
from jsupervisor.jlaunchd.supervisefile import load_programs, parse_programs

FULL = """
[program.web]
command = ["/usr/bin/web", "-x"]
restart = "transient"
readiness = "notify"
requires = ["db"]
heartbeat = 0.5
limits = { memory_mb = 100, files = 64 }
env = { LANG = "C" }
cwd = "/srv"
user = "nobody"
[program.db]
command = ["db"]
readiness = "fd:4"
[group.all]
members = ["db", "web"]
strategy = "one_for_all"
intensity = 5
period = 10
backoff = { initial = 0.1, cap = 2 }
"""


def test_what_a_file_says_is_in_the_plan() -> None:
    plan = parse_programs(FULL, "/etc/mine.toml")
    web, db = plan.programs

    assert "mine" == plan.profile
    assert (
        Foreign(
            command=("/usr/bin/web", "-x"),
            readiness="notify",
            env={"LANG": "C"},
            cwd="/srv",
            user="nobody",
        )
        == web.foreign
    )
    assert ("transient", ("db",), Heartbeat(0.5)) == (web.restart, web.requires, web.heartbeat)
    assert Limits(memory_mb=100, files=64) == web.limits
    assert (Foreign(command=("db",), readiness="fd:4"), None) == (db.foreign, db.heartbeat)
    assert {"foreign"} == {program.stage for program in plan.programs}
    rule = RestartPolicy(5, 10.0, Backoff(0.1, 2.0, 2.0))
    assert {rule} == {group.policy for group in plan.groups}


def test_what_it_does_not_say_is_junos_way() -> None:
    (one,) = parse_programs('[program.one]\ncommand = ["x"]\n', "f").programs

    assert ("permanent", "none", None) == (
        one.restart,
        one.foreign and one.foreign.readiness,
        one.heartbeat,
    )
    assert POLICIES["junos"] == one.policy


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "program: there is none"),
        ("[program.a]", "program.a.command: is missing: a list"),
        ('[program.a]\ncommand = "x"', "program.a.command: not a list of strings"),
        ("[program.a]\ncommand = []", "program.a.command: is missing"),
        ('[program.a]\ncommand = ["x"]\nreadiness = "fd:2"', "program.a.readiness: 'fd:2' is not"),
        ('[program.a]\ncommand = ["x"]\nreadiness = "soon"', "program.a.readiness: 'soon' is not"),
        (
            '[program.a]\ncommand = ["x"]\nheartbeat = 1',
            'program.a.heartbeat: needs readiness = "n',
        ),
        ('[program.a]\ncommand = ["x"]\ncwd = "y"', "program.a.cwd: 'y' is not an absolute path"),
        ('[program.a]\ncommand = ["x"]\nenv = { A = 1 }', "program.a.env.A: 1 is not a string"),
        (
            '[program.a]\ncommand = ["x"]\nenv = { "A=" = "1" }',
            "program.a.env.A=: is not a variable",
        ),
        ('[program.a]\ncommand = ["x"]\nrequires = ["b"]', "program.a.requires: 'b' is not a prog"),
        ('[program.a]\ncommand = ["x"]\ncolour = 1', "program.a.colour: unknown key; known are "),
        ('[program.init]\ncommand = ["x"]', "program.init: 'init' is taken"),
        (
            '[program.a]\ncommand = ["x"]\nlimits = { files = 1 }',
            "program.a.limits.files: 1 is not",
        ),
    ],
)
def test_every_error_names_file_and_key(text: str, why: str) -> None:
    with pytest.raises(PlanError) as raised:
        parse_programs(text, "FILE")

    assert str(raised.value).startswith(f"cannot use file FILE: {why}")


def test_a_file_that_cannot_be_read_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=f"^cannot read file {tmp_path}/x: No such file"):
        load_programs(tmp_path / "x")
