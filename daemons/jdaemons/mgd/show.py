"""`show version` and `show system uptime` as data, in the element names of Junos' XML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from jsupervisor import __version__
from jsupervisor.initproto import Json

PACKAGES = (
    ("jsupervisor", "init, launcher, launch control and runtime"),
    ("jdaemons", "modules"),
    ("jprotos", "interfaces between modules"),
    ("jchassis", "chassis profiles"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Uptime:
    """What `show system uptime` is made of; moments are in UTC."""

    now: datetime
    booted: datetime
    configured: datetime | None
    user: str
    load: Sequence[float]


def software_information(host_name: str, chassis: Mapping[str, Json]) -> Json:
    """`software-information`. `junos-version` is where tools look for a version: ours stands there."""
    packages: list[Json] = [
        {"name": name, "comment": f"{comment} [{__version__}]"} for name, comment in PACKAGES
    ]
    model = chassis.get("model")
    return {
        "software-information": {
            "host-name": host_name,
            "product-model": model if isinstance(model, str) else "",
            "product-name": model if isinstance(model, str) else "",
            "junos-version": __version__,
            "package-information": packages,
        }
    }


def system_uptime_information(uptime: Uptime) -> Json:
    """`system-uptime-information`, less protocols-started-time, which is rpd's to say."""
    information: dict[str, Json] = {
        "current-time": {"date-time": _time(uptime.now)},
        "time-source": "LOCAL CLOCK",
        "system-booted-time": _since(uptime.booted, uptime.now),
    }
    if uptime.configured is not None:
        last = _since(uptime.configured, uptime.now)
        information["last-configured-time"] = {**last, "user": uptime.user}
    information["uptime-information"] = {
        "date-time": uptime.now.strftime("%-I:%M%p"),
        "up-time": length(uptime.now - uptime.booted),
        "active-user-count": "0",
        "load-average-1": f"{uptime.load[0]:.2f}",
        "load-average-5": f"{uptime.load[1]:.2f}",
        "load-average-15": f"{uptime.load[2]:.2f}",
    }
    return {"system-uptime-information": information}


def _since(moment: datetime, now: datetime) -> dict[str, Json]:
    return {"date-time": _time(moment), "time-length": length(now - moment)}


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")


def length(passed: timedelta) -> str:
    """A duration as Junos prints it: 00:01:05, 1d 02:03:04 as "1d 02:03", 3w5d 18:30."""
    seconds = max(0, int(passed.total_seconds()))
    days, rest = divmod(seconds, 86400)
    clock = f"{rest // 3600:02}:{rest % 3600 // 60:02}"
    weeks, weekdays = divmod(days, 7)
    if weeks:
        return f"{weeks}w{weekdays}d {clock}"
    return f"{days}d {clock}" if days else f"{clock}:{rest % 60:02}"
