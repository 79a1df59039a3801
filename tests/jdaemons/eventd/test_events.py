"""Values that go in and out of eventd's core can be compared and not be changed."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from jdaemons.eventd.events import HostNamed, WakeReader


def test_an_event_is_its_content_and_stays_it() -> None:
    event = HostNamed("r1")
    with pytest.raises(FrozenInstanceError):
        event.name = "r2"  # type: ignore[misc]

    assert HostNamed("r1") == event
    assert WakeReader(1) != WakeReader(2)
