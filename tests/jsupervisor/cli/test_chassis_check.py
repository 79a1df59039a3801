"""The chassis section of a profile: the first thing that is wrong, with its key."""

from __future__ import annotations

import tomllib

import pytest

from jchassis import profile_names, profile_path
from jsupervisor.cli.chassis_check import check_chassis
from jsupervisor.jlaunchd.reader import PlanError

GOOD = """
model = "x"
[[fpc]]
slot = 0
cpu = { version = "1" }
[[fpc.pic]]
slot = 0
media = "xe"
ports = 2
speed = "10g"
[[fpc]]
slot = 1
"""


@pytest.mark.parametrize("name", profile_names())
def test_the_profiles_that_come_with_jsupervisor_are_sound(name: str) -> None:
    chassis = tomllib.loads(profile_path(name).read_text())["chassis"]

    assert check_chassis(name, chassis) >= 10


def test_ports_are_counted() -> None:
    assert 2 == check_chassis("x.toml", tomllib.loads(GOOD))


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ('model = "x"', "", "chassis.model: is missing"),
        ('model = "x"', "model = 1", "chassis.model: 1 is not a string"),
        ('model = "x"', 'model = "x"\ncolour = "red"', "chassis.colour: unknown key; known are cb"),
        (
            'model = "x"',
            'model = "x"\nserial_prefix = "a b"',
            "serial_prefix: 'a b' is not up to 8",
        ),
        ("slot = 1", "slot = 0", r"chassis.fpc\[1\].slot: slot 0 is taken already"),
        ("slot = 1", "slot = -1", r"chassis.fpc\[1\].slot: -1 is not"),
        ("slot = 1", "slot = 1\nslott = 1", r"chassis.fpc\[1\].slott: unknown key"),
        ('media = "xe"', 'media = "so"', r"fpc\[0\].pic\[0\].media: 'so' is not one of fe, ge"),
        ('speed = "10g"', 'speed = "11g"', r"pic\[0\].speed: '11g' is not a speed, e.g. 1g"),
        ("ports = 2", 'ports = "2"', r"pic\[0\].ports: '2' is not a whole number"),
        ("ports = 2", "ports = 257", r"pic\[0\].ports: 257 is not a whole number"),
        ('version = "1"', "version = 1", r"fpc\[0\].cpu.version: 1 is not a string"),
    ],
)
def test_what_is_wrong_is_named_with_its_key(old: str, new: str, error: str) -> None:
    chassis = tomllib.loads(GOOD.replace(old, new))
    with pytest.raises(PlanError, match=f"cannot use profile x.toml: .*{error}"):
        check_chassis("x.toml", chassis)


def test_an_engine_has_only_so_many_ports() -> None:
    pics = [{"slot": slot, "ports": 100} for slot in range(3)]
    with pytest.raises(PlanError, match="300 ports are more than the 256 of an engine"):
        check_chassis("x.toml", {"model": "x", "fpc": [{"slot": 0, "pic": pics}]})


def test_a_list_of_tables_is_one() -> None:
    with pytest.raises(PlanError, match=r"chassis.fpc: not a list of tables \[\[fpc\]\]"):
        check_chassis("x.toml", {"model": "x", "fpc": {"slot": 0}})
