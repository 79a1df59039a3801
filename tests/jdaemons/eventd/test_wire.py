"""Messages of the Log service, and the configuration of the system."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jdaemons.eventd.wire import MAX_TEXT, WireError, read_host_name, read_record
from jprotos.eventd.v1 import eventd_pb2
from jsupervisor.runtime.record import Record, Severity
from jsupervisor.runtime.shipping import as_message


def test_a_record_is_what_was_sent(a_record: Callable[..., Record]) -> None:
    assert a_record() == read_record(as_message(a_record()))


@pytest.mark.parametrize("severity", [0, 99])
def test_a_severity_that_nobody_knows_is_info(severity: int) -> None:
    message = eventd_pb2.LogRecord(severity=eventd_pb2.Severity.ValueType(severity))

    assert Severity.INFO == read_record(message).severity


def test_what_is_too_long_is_cut() -> None:
    text = "x" * MAX_TEXT
    record = read_record(eventd_pb2.LogRecord(text=text + "y", fields={"a": text}))

    assert text + "..." == record.text
    assert {"left-out": "1 fields, 8193 characters"} == record.fields


@pytest.mark.parametrize(
    ("value", "name"), [(b'{"host-name": "r1"}', "r1"), (b"{}", None), (b"[]", None)]
)
def test_the_host_name_is_read(value: bytes, name: str | None) -> None:
    assert name == read_host_name(value)


@pytest.mark.parametrize("value", [b"", b'{"host-name": 7}', b"[" * 100_000])
def test_what_is_no_configuration_is_refused(value: bytes) -> None:
    with pytest.raises(WireError, match=r"^cannot "):
        read_host_name(value)
