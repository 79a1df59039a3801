"""Profiles: what a good one means, and the one clear line that a bad one gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from jchassis import profile_names, profile_path
from jsupervisor.jlaunchd.plan import (
    Heartbeat,
)
from jsupervisor.jlaunchd.policy import POLICIES, Backoff, RestartPolicy
from jsupervisor.jlaunchd.profile import load_plan, parse_plan
from jsupervisor.jlaunchd.reader import PlanError

HEAD = '[profile]\nname = "p"\n'
ONE = '[program.one]\nentry = "a.b:C"\n'
CHASSIS = "[[chassis.fpc]]\nslot = 0\n[[chassis.fpc.pic]]\nslot = 0\nports = 2\n"

FULL = """
[profile]
name = "full"
description = "everything said"
policy = "systemd"

[chassis]
model = "m"
[[chassis.fpc]]
slot = 0
[[chassis.fpc.pic]]
slot = 0
ports = 2

[ports]
"ge-0/0/1" = "udp:1000,2000"

[program.one]
entry = "a.b.c:D"
executable = "x"
restart = "transient"
stage = "lean"
launch = "exec"
heartbeat = false
start_timeout = 7
stop_timeout = 0.5
options = { fpc = 0 }
shares = ["two"]

[program.two]
entry = "a:B"
requires = ["one"]
heartbeat = { interval = 1.0, misses = 5 }

[program.three]
entry = "a:B"
heartbeat = true

[group.g]
members = ["two", "three"]
strategy = "one_for_one"
intensity = 0
period = 60
backoff = { initial = 0.1, factor = 3.0, cap = 2.0, jitter = 0.2 }
"""


def test_what_a_profile_says_is_in_the_plan() -> None:
    plan = parse_plan(FULL, "full.toml")
    one, two = plan.program("one"), plan.program("two")

    assert ("full", "everything said", "systemd") == (plan.profile, plan.description, plan.policy)
    assert {"ge-0/0/1": "udp:1000,2000"} == plan.ports
    assert ["one", "two", "three"] == [program.name for program in plan.programs]
    assert ("x", "a.b.c:D", "transient", "lean", "exec", None, 7.0, 0.5, {"fpc": 0}, ("two",)) == (
        one.executable,
        one.entry,
        one.restart,
        one.stage,
        one.launch,
        one.heartbeat,
        one.start_timeout,
        one.stop_timeout,
        one.options,
        one.shares,
    )
    assert Heartbeat(1.0, 5) == two.heartbeat
    assert ("one",) == two.requires
    assert POLICIES["systemd"] == one.policy
    assert RestartPolicy(0, 60.0, Backoff(0.1, 3.0, 2.0, 0.2)) == two.policy


def test_what_it_does_not_say_is_junos_way() -> None:
    plan = parse_plan(HEAD + ONE, "p.toml")
    one = plan.program("one")

    assert ("one", "permanent", "full", "fork") == (
        one.executable,
        one.restart,
        one.stage,
        one.launch,
    )
    assert (Heartbeat(0.2, 3), 30.0, 5.0) == (one.heartbeat, one.start_timeout, one.stop_timeout)
    assert POLICIES["junos"] == one.policy
    with pytest.raises(KeyError):
        plan.program("two")


def test_a_group_without_a_back_off_restarts_at_once() -> None:
    plan = parse_plan(HEAD + ONE + '[group.g]\nmembers = ["one"]\n', "p.toml")

    assert RestartPolicy(3, 30.0, Backoff()) == plan.program("one").policy


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "profile: is missing"),
        ('[profile]\ndescription = "x"\n', "profile.name: is missing"),
        ('[profile]\nname = "Ä"\n', "profile.name: 'Ä' is not a name"),
        ("[profile]\nname = 1\n", "profile.name: 1 is not a string"),
        (HEAD, "program: there is none"),
        (HEAD + "colour = 1\n" + ONE, "profile.colour: unknown key"),
        (HEAD + 'policy = "x"\n' + ONE, "profile.policy: 'x' is not one of junos, "),
        (HEAD + "description = 1\n" + ONE, "profile.description: 1 is not a string"),
        ("[modules]\n" + HEAD + ONE, "modules: unknown key"),
        ("program = 1\n" + HEAD, "program: not a table"),
        (HEAD + "[program.one]\n", "program.one.entry: is missing"),
        (HEAD + '[program.one]\nentry = "a.b"\n', "'a.b' is not PACKAGE.MODULE:CLASS"),
        (HEAD + '[program.one]\nentry = "a..b:C"\n', "is not PACKAGE.MODULE:CLASS"),
        (HEAD + '[program.one]\nentry = ":C"\n', "is not PACKAGE.MODULE:CLASS"),
        (HEAD + '[program.one]\nentry = "a:b:C"\n', "is not PACKAGE.MODULE:CLASS"),
        (HEAD + '[program.One]\nentry = "a:B"\n', "program.One: 'One' is not a name"),
        (HEAD + '[program."a.b"]\nentry = "a:B"\n', "program.a.b: 'a.b' is not a name"),
        (HEAD + '[program.init]\nentry = "a:B"\n', "program.init: 'init' is taken"),
        (HEAD + '[program.jlaunchd]\nentry = "a:B"\n', "'jlaunchd' is taken"),
        (HEAD + ONE + "nice = 1\n", "program.one.nice: unknown key"),
        (HEAD + ONE + "executable = 1\n", "program.one.executable: 1 is not a string"),
        (HEAD + ONE + 'requires = "x"\n', "program.one.requires: not a list of strings"),
        (HEAD + ONE + 'requires = ["x"]\n', "program.one.requires: 'x' is not a program"),
        (HEAD + ONE + 'requires = ["one"]\n', "program: these require one another.*: one"),
        (HEAD + ONE + 'restart = "always"\n', "program.one.restart: 'always' is not one of"),
        (HEAD + ONE + 'stage = "fat"\n', "program.one.stage: 'fat' is not one of full, lean"),
        (HEAD + ONE + 'launch = "spawn"\n', "program.one.launch: 'spawn' is not one of"),
        (HEAD + ONE + "heartbeat = 3\n", "program.one.heartbeat: not a table"),
        (HEAD + ONE + "heartbeat = { interval = 0 }\n", "heartbeat.interval: 0 is not between"),
        (HEAD + ONE + "heartbeat = { misses = 0 }\n", "heartbeat.misses: 0 is not a whole"),
        (HEAD + ONE + "heartbeat = { x = 0 }\n", "program.one.heartbeat.x: unknown key"),
        (HEAD + ONE + "start_timeout = 0\n", "program.one.start_timeout: 0 is not between"),
        (HEAD + ONE + "stop_timeout = inf\n", "program.one.stop_timeout: inf is not between"),
        (HEAD + ONE + "options = 1\n", "program.one.options: not a table"),
        (HEAD + ONE + "options = { day = 2026-01-01 }\n", "options.day: a date is not used"),
        (HEAD + ONE + "shares = [1]\n", "program.one.shares: not a list of strings"),
        (HEAD + ONE + '[group.g]\nmembers = ["x"]\n', "group.g.members: 'x' is not a program"),
        (
            HEAD + ONE + '[group.f]\nmembers = ["one"]\n[group.g]\nmembers = ["one"]\n',
            "group.g.members: 'one' is in another group",
        ),
        (HEAD + ONE + '[group.g]\nstrategy = "all"\n', "group.g.strategy: 'all'"),
        (HEAD + ONE + "[group.g]\nintensity = -1\n", "group.g.intensity: -1 is not"),
        (HEAD + ONE + "[group.g]\nintensity = 100\n", "group.g.intensity: 100 is not"),
        (HEAD + ONE + '[group.g]\nperiod = "x"\n', "group.g.period: 'x' is not a number"),
        (HEAD + ONE + "[group.g]\nspeed = 1\n", "group.g.speed: unknown key"),
        (HEAD + ONE + "[group.g]\nbackoff = 1\n", "group.g.backoff: not a table"),
        (HEAD + ONE + "[group.g]\nbackoff = { factor = 0.5 }\n", "backoff.factor: 0.5 is not"),
        (HEAD + ONE + "[group.g]\nbackoff = { jitter = 2 }\n", "backoff.jitter: 2 is not"),
        (HEAD + ONE + "[group.g]\nbackoff = { initial = -1 }\n", "backoff.initial: -1 is not"),
        (HEAD + ONE + "[group.g]\nbackoff = { cap = -1 }\n", "backoff.cap: -1 is not"),
        (HEAD + ONE + "[group.g]\nbackoff = { x = 1 }\n", "group.g.backoff.x: unknown key"),
        (HEAD + ONE + "[chassis]\nborn = 2026-01-01\n", "chassis.born: a date is not used"),
        (HEAD + ONE + "[ports]\n'ge-0/0/0' = 'udp:1,2'\n", "ports.ge-0/0/0: the chassis has no"),
        (HEAD + ONE + CHASSIS + "[ports]\n'ge-0/0/0' = 1\n", "ports.ge-0/0/0: 1 is not a string"),
        (HEAD + ONE + CHASSIS + "[ports]\n'ge-0/0/0' = 'x'\n", "ports.ge-0/0/0: .*'x'"),
    ],
)
def test_every_error_names_file_and_key(text: str, error: str) -> None:
    with pytest.raises(PlanError, match="^cannot use profile bad.toml: .*" + error) as caught:
        parse_plan(text, "bad.toml")

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["a = ", "a = 1\na = 2", "x = " + "9" * 5000, "x = " + "[" * 9000])
def test_what_is_not_toml_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(PlanError, match=r"^cannot read profile bad\.toml: ") as caught:
        parse_plan(text, "bad.toml")

    assert "\n" not in str(caught.value)


def test_a_circle_names_all_its_members() -> None:
    programs = "".join(
        f'[program.{a}]\nentry = "a:B"\nrequires = ["{b}"]\n' for a, b in ("xy", "yz", "zx")
    )

    with pytest.raises(PlanError, match=r"in a circle: x, y, z$"):
        parse_plan(HEAD + ONE + programs, "p.toml")


def test_a_program_may_require_one_that_stands_further_down() -> None:
    text = HEAD + ONE + 'requires = ["two"]\n[program.two]\nentry = "a:B"\n'

    assert ("two",) == parse_plan(text, "p.toml").program("one").requires


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")

    with pytest.raises(PlanError, match=r"cannot read profile .*gone.toml: No such file"):
        load_plan(tmp_path / "gone.toml")
    with pytest.raises(PlanError, match=r"cannot read profile .*: Is a directory"):
        load_plan(tmp_path)
    with pytest.raises(PlanError, match=r"cannot read profile .*binary.toml: not UTF-8 text"):
        load_plan(binary)


@pytest.mark.parametrize("name", profile_names())
def test_the_profiles_that_come_along_are_good(name: str) -> None:
    assert name == load_plan(profile_path(name)).profile
