"""Layouts of `show version`, `show system uptime|alarms|core-dumps` (reference: junos.md 3.3, 2.3)."""

from __future__ import annotations

import pytest

from jsupervisor.cli.render.system import alarms, core_dumps, uptime, version
from jsupervisor.initproto import Json


def test_version() -> None:
    data: Json = {
        "software-information": {
            "host-name": "r1",
            "product-model": "vmx",
            "jsupervisor-version": "0.1.0",
            "package-information": [{"name": "jdaemons", "comment": "modules [0.1.0]"}],
        }
    }

    assert version(data) == "Hostname: r1\nModel: vmx\njsupervisor: 0.1.0\nmodules [0.1.0]\n"


UPTIME: dict[str, Json] = {
    "current-time": {"date-time": "2021-08-31 08:48:11 UTC"},
    "time-source": "LOCAL CLOCK",
    "system-booted-time": {"date-time": "2021-03-29 13:32:05 UTC", "time-length": "22w0d 19:16"},
    "protocols-started-time": {
        "date-time": "2021-03-29 13:37:11 UTC",
        "time-length": "22w0d 19:11",
    },
    "last-configured-time": {
        "date-time": "2021-07-13 16:35:35 UTC",
        "time-length": "6w6d 16:12",
        "user": "admin",
    },
    "uptime-information": {
        "date-time": "8:48AM",
        "up-time": "154 days, 19:16",
        "active-user-count": "2",
        "load-average-1": "0.04",
        "load-average-5": "0.04",
        "load-average-15": "0.01",
    },
}


def test_uptime() -> None:
    assert uptime({"system-uptime-information": UPTIME}) == (
        "Current time: 2021-08-31 08:48:11 UTC\n"
        "Time Source:  LOCAL CLOCK\n"
        "System booted: 2021-03-29 13:32:05 UTC (22w0d 19:16 ago)\n"
        "Protocols started: 2021-03-29 13:37:11 UTC (22w0d 19:11 ago)\n"
        "Last configured: 2021-07-13 16:35:35 UTC (6w6d 16:12 ago) by admin\n"
        " 8:48AM  up 154 days, 19:16, 2 users, load averages: 0.04, 0.04, 0.01\n"
    )


def test_uptime_without_routing_and_configuration_leaves_their_lines_out() -> None:
    kept = {key: UPTIME[key] for key in ("current-time", "system-booted-time")}

    assert uptime({"system-uptime-information": kept}) == (
        "Current time: 2021-08-31 08:48:11 UTC\n"
        "System booted: 2021-03-29 13:32:05 UTC (22w0d 19:16 ago)\n"
    )


@pytest.mark.parametrize(("count", "words"), [("1", "1 user,"), ("0", "0 users,")])
def test_one_user_is_not_plural(count: str, words: str) -> None:
    assert words in uptime(
        {"system-uptime-information": {"uptime-information": {"active-user-count": count}}}
    )


def test_alarms() -> None:
    data: Json = {
        "alarm-information": {
            "alarm-summary": {"active-alarm-count": "2"},
            "alarm-detail": [
                {
                    "alarm-time": "2020-12-22 14:48:12 UTC",
                    "alarm-class": "Minor",
                    "alarm-description": "Loss of communication with Backup RE",
                },
                {
                    "alarm-time": "2014-04-17 09:09:21 UTC",
                    "alarm-class": "Major",
                    "alarm-description": "routing is thrashing, not restarted",
                },
            ],
        }
    }

    assert alarms(data) == (
        "2 alarms currently active\n"
        "Alarm time               Class  Description\n"
        "2020-12-22 14:48:12 UTC  Minor  Loss of communication with Backup RE\n"
        "2014-04-17 09:09:21 UTC  Major  routing is thrashing, not restarted\n"
    )


def test_no_alarms() -> None:
    assert "No alarms currently active\n" == alarms(
        {"alarm-information": {"alarm-summary": {"no-active-alarms": ""}, "alarm-detail": []}}
    )


def test_core_dumps() -> None:
    entry: Json = {
        "file-name": "/var/tmp/rpd.core.0.gz",
        "file-permissions": "-rw-rw----",
        "file-links": "1",
        "file-owner": "root",
        "file-group": "field",
        "file-size": "4576464",
        "file-date": "Aug  8  2019",
    }

    assert core_dumps(
        {"directory-list": {"directory": {"file-information": [entry], "total-files": "1"}}}
    ) == (
        "-rw-rw----  1 root  field     4576464 Aug  8  2019 /var/tmp/rpd.core.0.gz\n"
        "total files: 1\n"
    )


def test_no_core_dumps() -> None:
    missing = "/var/crash/*core*: No such file or directory"

    assert f"{missing}\ntotal files: 0\n" == core_dumps(
        {"directory-list": {"directory": {"output": [missing], "total-files": "0"}}}
    )
