"""`jsupervisor profile`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jchassis import profile_names, profile_path

if TYPE_CHECKING:
    from tests.jsupervisor.cli.conftest import Cli


def test_all_profiles_are_listed(cli: Cli) -> None:
    plain, data = cli("profile", "list"), cli("profile", "list", "--json")

    assert (0, 0) == (plain.code, data.code)
    assert profile_names() == [line.split()[0] for line in plain.out.splitlines()]
    assert isinstance(data.json, list)
    assert profile_names() == [each["name"] for each in data.json if isinstance(each, dict)]


def test_a_profile_is_shown_as_it_is_written(cli: Cli) -> None:
    assert profile_path("vmx").read_text() == cli("profile", "show", "vmx").out
    data = cli("profile", "show", str(profile_path("vmx")), "--json").json
    assert isinstance(data, dict)
    assert ("vmx", "modular") == (data["profile"], data["architecture"])


def test_an_unknown_profile_is_refused_with_the_known_ones(cli: Cli) -> None:
    result = cli("profile", "show", "mx9")

    assert 2 == result.code
    assert result.err.startswith("jsupervisor: cannot use profile 'mx9': there are mx240, vmx")


def test_a_sound_profile_is_said_to_be(cli: Cli) -> None:
    path = profile_path("vmx")
    result = cli("profile", "validate", str(path))

    assert 0 == result.code
    assert result.out == f"{path}: vmx: 8 programs, 10 ports, policy junos\n"


def test_what_cannot_be_a_profile_is_one_clear_line(cli: Cli, tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("[profile\n")
    results = [cli("profile", "validate", str(path)) for path in (broken, tmp_path / "x", tmp_path)]

    assert [2, 2, 2] == [result.code for result in results]
    assert [1, 1, 1] == [len(result.err.splitlines()) for result in results]
    assert all(result.err.startswith("jsupervisor: cannot read profile") for result in results)


def test_an_unsound_chassis_is_found(cli: Cli, tmp_path: Path) -> None:
    unsound = tmp_path / "unsound.toml"
    text = profile_path("vmx").read_text()
    unsound.write_text(text.replace('speed = "1g"', 'speed = "fast"'))
    result = cli("profile", "validate", str(unsound))

    assert 2 == result.code
    assert "chassis.fpc[0].pic[0].speed: 'fast' is not a speed" in result.err
