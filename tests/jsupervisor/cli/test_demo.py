"""`jsupervisor demo`: wrong usage is refused before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from jsupervisor.cli.demo import demo


@pytest.mark.parametrize(
    "arguments",
    [
        ["--rate", "0"],
        ["--rate", "many"],
        ["--architecture", "round"],
        ["--expect", "nothing"],
        ["--fault", "exit:1"],
    ],
)
def test_wrong_usage_is_refused(arguments: list[str]) -> None:
    assert 2 == CliRunner().invoke(demo, arguments).exit_code


def test_a_module_that_vmx_does_not_have_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JSUPERVISOR_HOME", str(tmp_path))
    result = CliRunner().invoke(demo, ["--module", "bgpd"])

    assert 2 == result.exit_code
    assert result.stderr.startswith("jsupervisor: cannot hit 'bgpd': vmx has eventd, alarmd")
    assert [] == list(tmp_path.iterdir())


def test_the_help_has_an_example() -> None:
    assert "Example: jsupervisor demo" in CliRunner().invoke(demo, ["--help"]).stdout
