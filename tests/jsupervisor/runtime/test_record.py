"""Records as lines."""

from __future__ import annotations

import json

from jprotos.eventd.v1 import eventd_pb2
from jsupervisor.runtime.record import Record, Severity, Tag

RECORD = Record(
    time_ns=1,
    monotonic_ns=2,
    module="pfe0",
    executable="pfe",
    pid=3,
    incarnation=4,
    severity=Severity.WARNING,
    tag=Tag.FEED_LOST,
    text="two\nlines",
    fields={"a": "b"},
    number=5,
)


def test_a_record_is_one_line_of_json() -> None:
    line = RECORD.to_line()
    read = json.loads(line)

    assert "\n" not in line
    assert ("pfe0", "warning", "FEED_LOST", "two\nlines", {"a": "b"}) == tuple(
        read[key] for key in ("module", "severity", "tag", "text", "fields")
    )


def test_severities_are_those_of_the_proto() -> None:
    ours = {f"SEVERITY_{severity.name}": int(severity) for severity in Severity}

    assert {"SEVERITY_UNSPECIFIED": 0, **ours} == dict(eventd_pb2.Severity.items())


def test_a_tag_is_its_own_name() -> None:
    assert all(tag.name == tag.value for tag in Tag)
