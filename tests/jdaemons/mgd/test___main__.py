"""The check of a file without a router."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from jdaemons.mgd.__main__ import main


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "juniper.conf"


def test_a_good_file_is_silent_and_0(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("system { host-name r1; }")

    assert 0 == main(["check", str(file)])
    assert ("", "") == capsys.readouterr()


def test_each_problem_of_a_bad_file_is_one_line_with_its_place_and_1(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text("system {\n    host-name -;\n}\nnonsense;\n")

    assert 1 == main(["check", str(file)])
    first, second = capsys.readouterr().err.splitlines()
    assert f"{file}:2:15: cannot load: '-' is not a host name" == first
    assert second.startswith(f"{file}:4:1: cannot load: syntax error at 'nonsense', expecting ")


@pytest.mark.parametrize("content", [None, b"\xff\xff"])
def test_a_file_that_cannot_be_read_is_one_line_and_2(
    file: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        file.write_bytes(content)

    assert 2 == main(["check", str(file)])
    assert capsys.readouterr().err.startswith(f"cannot read {file}: ")


@pytest.mark.parametrize("arguments", [[], ["check"], ["load", "x"], ["check", "x", "y"]])
def test_a_wrong_command_shows_the_right_one(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert 2 == main(arguments)
    assert "usage: python -m jdaemons.mgd check FILE\n" == capsys.readouterr().err


def test_the_check_needs_neither_grpc_nor_trio(file: Path) -> None:
    file.write_text("")
    code = (
        "import sys; from jdaemons.mgd.__main__ import main; main(sys.argv[1:]);"
        "sys.exit(sorted({'grpc', 'trio'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code, "check", str(file)], check=False)

    assert 0 == done.returncode
