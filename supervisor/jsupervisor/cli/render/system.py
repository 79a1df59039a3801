"""`show version`, `show system uptime`, `show system alarms`, `show system core-dumps`."""

from __future__ import annotations

from collections.abc import Iterator

from jsupervisor.cli.render.values import Table, lines, rows, table, text
from jsupervisor.initproto import Json


def version(data: Json) -> str:
    """`software-information`."""
    software = table(data, "software-information")
    named = (
        ("Hostname", "host-name"),
        ("Model", "product-model"),
        ("Junos", "junos-version"),
        ("jsupervisor", "jsupervisor-version"),
    )
    heads = [f"{label}: {text(software, key)}" for label, key in named if key in software]
    packages = [text(each, "comment") for each in rows(software, "package-information")]
    return lines([*heads, *packages])


def uptime(data: Json) -> str:
    """`system-uptime-information`."""
    return lines(_uptime(table(data, "system-uptime-information")))


def _uptime(system: Table) -> Iterator[str]:
    yield f"Current time: {text(table(system, 'current-time'), 'date-time')}"
    if "time-source" in system:
        yield f"Time Source:  {text(system, 'time-source')}"
    for label, key in (
        ("System booted", "system-booted-time"),
        ("Protocols started", "protocols-started-time"),
        ("Last configured", "last-configured-time"),
    ):
        moment = table(system, key)
        if moment:
            by = f" by {text(moment, 'user')}" if "user" in moment else ""
            yield f"{label}: {text(moment, 'date-time')} ({text(moment, 'time-length')} ago){by}"
    now = table(system, "uptime-information")
    if now:
        loads = ", ".join(text(now, f"load-average-{each}") for each in (1, 5, 15))
        users = text(now, "active-user-count", "0")
        noun = "user" if users == "1" else "users"
        yield (
            f"{text(now, 'date-time'):>7}  up {text(now, 'up-time')}, {users} {noun},"
            f" load averages: {loads}"
        )


def alarms(data: Json) -> str:
    """`alarm-information`. Junos says "alarms" even of one."""
    information = table(data, "alarm-information")
    details = rows(information, "alarm-detail")
    if not details:
        return "No alarms currently active\n"
    count = text(table(information, "alarm-summary"), "active-alarm-count", str(len(details)))
    return lines(
        [
            f"{count} alarms currently active",
            "Alarm time               Class  Description",
            *(
                f"{text(each, 'alarm-time'):<25}{text(each, 'alarm-class'):<7}"
                f"{text(each, 'alarm-description')}"
                for each in details
            ),
        ]
    )


def core_dumps(data: Json) -> str:
    """`directory-list`."""
    directory = table(data, "directory-list", "directory")
    return lines(
        [
            *(_file(each) for each in rows(directory, "file-information")),
            *_outputs(directory),
            f"total files: {text(directory, 'total-files', '0')}",
        ]
    )


def _file(entry: Table) -> str:
    return (
        f"{text(entry, 'file-permissions')}  {text(entry, 'file-links')}"
        f" {text(entry, 'file-owner'):<5} {text(entry, 'file-group'):<6}"
        f"{text(entry, 'file-size'):>11} {text(entry, 'file-date')} {text(entry, 'file-name')}"
    )


def _outputs(directory: Table) -> list[str]:
    found = directory.get("output")
    return [str(each) for each in found] if isinstance(found, list) else []
