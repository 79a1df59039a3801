"""Values that go in and out of rpd's core can be compared and not be changed."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from jdaemons.rpd.events import StaticRoute
from jdaemons.rpd.prefix import parse_prefix


def test_a_static_route_has_junos_preference_unless_it_says_another() -> None:
    route = StaticRoute(prefix=parse_prefix("10.0.0.0/8"))
    with pytest.raises(FrozenInstanceError):
        route.preference = 7  # type: ignore[misc]

    assert 5 == route.preference
