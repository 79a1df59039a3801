"""Lines of the file `messages`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jdaemons.eventd.layout import messages_line, one_line
from jsupervisor.runtime.record import Record


def test_a_line_is_laid_out_as_in_junos(a_record: Callable[..., Record]) -> None:
    line = messages_line(a_record(), "r1")

    assert "Nov 23 08:55:43  r1 rpd[4711]: RPD_TASK_BEGIN: Commencing routing updates" == line


def test_a_day_of_one_digit_is_padded(a_record: Callable[..., Record]) -> None:
    line = messages_line(a_record(time_ns=1_583_419_665_000_000_000), "r1")

    assert line.startswith("Mar  5 14:47:45  r1 ")


@pytest.mark.parametrize("time_ns", [-(2**63), 2**63 - 1])
def test_every_time_that_fits_into_a_message_has_a_line(
    a_record: Callable[..., Record], time_ns: int
) -> None:
    assert messages_line(a_record(time_ns=time_ns), "r1").endswith("Commencing routing updates")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Zürich", "Zürich"),
        ("two\nlines", r"two\x0alines"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\u2028b", r"a\u2028b"),
    ],
)
def test_no_text_can_end_its_line_or_move_the_cursor(text: str, shown: str) -> None:
    assert shown == one_line(text)
