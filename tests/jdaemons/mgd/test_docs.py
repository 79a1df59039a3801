"""What docs/how-to/configuration.md says is so: its example is canonical, its errors are these."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jdaemons.mgd.candidate import Candidate, examine

PAGE = Path(__file__).parents[3] / "docs/how-to/configuration.md"
TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLE = re.findall(r"```junos\n(.*?)```", TEXT, re.DOTALL)[0]
ERRORS = re.findall(r"^\| `(.+)` \| `(.+)` \|$", TEXT, re.MULTILINE)


def test_the_example_is_good_and_written_as_mgd_writes_it() -> None:
    examined = examine(EXAMPLE)

    assert isinstance(examined, Candidate)
    assert EXAMPLE == examined.text


@pytest.mark.parametrize(("text", "message"), ERRORS)
def test_each_error_is_as_the_page_says(text: str, message: str) -> None:
    examined = examine(text)

    assert isinstance(examined, tuple)
    assert message == examined[0].message


def test_there_are_errors_to_check() -> None:
    assert len(ERRORS) >= 25
