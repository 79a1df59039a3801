"""`show version` and `show system uptime` as data."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jdaemons.mgd.show import Uptime, length, software_information, system_uptime_information
from jsupervisor import __version__
from jsupervisor.initproto import Json

NOW = datetime(2026, 11, 23, 9, 5, 7, 999, UTC)


def section(answer: Json, name: str) -> dict[str, Json]:
    assert isinstance(answer, dict)
    inner = answer[name]
    assert isinstance(inner, dict)
    return inner


def uptime(configured: datetime | None) -> dict[str, Json]:
    answer = system_uptime_information(
        Uptime(
            now=NOW,
            booted=NOW - timedelta(days=1, hours=2, minutes=3),
            configured=configured,
            user="lab",
            load=(0.5, 1, 1.256),
        )
    )
    return section(answer, "system-uptime-information")


def test_the_version_is_our_own_and_every_package_says_so() -> None:
    software = section(software_information("r1", {"model": "vmx"}), "software-information")
    packages = software["package-information"]
    assert isinstance(packages, list)

    assert ("r1", "vmx", __version__) == (
        software["host-name"],
        software["product-model"],
        software["junos-version"],
    )
    assert {"name", "comment"} == {
        key for each in packages if isinstance(each, dict) for key in each
    }
    assert all(f"[{__version__}]" in str(each) for each in packages)


def test_a_chassis_without_a_model_has_an_empty_one() -> None:
    software = section(software_information("r1", {}), "software-information")

    assert "" == software["product-model"]


def test_times_are_printed_as_junos_does() -> None:
    shown = uptime(NOW - timedelta(minutes=4))

    assert {"date-time": "2026-11-23 09:05:07 UTC"} == shown["current-time"]
    assert {
        "date-time": "2026-11-22 07:02:07 UTC",
        "time-length": "1d 02:03",
    } == shown["system-booted-time"]
    assert {
        "date-time": "2026-11-23 09:01:07 UTC",
        "time-length": "00:04:00",
        "user": "lab",
    } == shown["last-configured-time"]
    assert {
        "date-time": "9:05AM",
        "up-time": "1d 02:03",
        "active-user-count": "0",
        "load-average-1": "0.50",
        "load-average-5": "1.00",
        "load-average-15": "1.26",
    } == shown["uptime-information"]


def test_what_was_never_configured_has_no_time_of_it() -> None:
    assert "last-configured-time" not in uptime(None)


@pytest.mark.parametrize(
    ("passed", "text"),
    [
        (timedelta(seconds=65), "00:01:05"),
        (timedelta(hours=23, minutes=59, seconds=59), "23:59:59"),
        (timedelta(days=1), "1d 00:00"),
        (timedelta(days=6, hours=2, minutes=3, seconds=4), "6d 02:03"),
        (timedelta(days=26, hours=18, minutes=30), "3w5d 18:30"),
        (timedelta(seconds=-5), "00:00:00"),
    ],
)
def test_a_duration_is_printed_as_junos_does(passed: timedelta, text: str) -> None:
    assert text == length(passed)
