"""What the tests of eventd share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from jsupervisor.runtime.record import Record, Severity

RECORD = Record(
    # Thu Nov 23 08:55:43 2023 UTC
    time_ns=1_700_729_743_999_999_999,
    monotonic_ns=5,
    module="rpd",
    executable="rpd",
    pid=4711,
    incarnation=1,
    severity=Severity.NOTICE,
    tag="RPD_TASK_BEGIN",
    text="Commencing routing updates",
    fields={"a": "b"},
    number=1,
)


@pytest.fixture
def a_record() -> Callable[..., Record]:
    """Makes records that differ in the fields given."""
    return lambda **changes: replace(RECORD, **changes)
