"""The sections of a profile about watching: [log] and [metrics].

[log]
size = "1m"       # of one file: 64k to 1g, as `archive size` on Junos
files = 10        # old files kept, compressed: 1 to 1000
total = "256m"    # of all logs and core files together

[metrics]
listen = "127.0.0.1:9464"    # a TCP port besides the unix socket
"""

from __future__ import annotations

import re
from typing import Final

from jsupervisor.jlaunchd.listen import ListenError, parse_address
from jsupervisor.jlaunchd.reader import Section
from jsupervisor.runtime.rotate import Rule

SIZE: Final = re.compile(r"([0-9]{1,12})([kmg]?)")
UNITS: Final = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
LEAST_SIZE: Final = 64 << 10
MOST_SIZE: Final = 1 << 30
MOST_TOTAL: Final = 1 << 50


def read_log(top: Section) -> Rule:
    """The rule of the logs; raises PlanError."""
    section, default = top.section("log", optional=True), Rule()
    rule = Rule(
        size=_size(section, "size", default.size, MOST_SIZE),
        files=section.count("files", default.files, least=1, most=1000),
        total=_size(section, "total", default.total, MOST_TOTAL),
    )
    if rule.total < rule.size:
        raise section.error("total", "is less than the size of one file")
    section.done()
    return rule


def read_listen(top: Section) -> str:
    """Where metrics are served besides the unix socket; empty for nowhere. Raises PlanError."""
    section = top.section("metrics", optional=True)
    listen = section.string("listen", "")
    if listen:
        try:
            parse_address(listen)
        except ListenError as error:
            raise section.error("listen", str(error)) from error
    section.done()
    return listen


def _size(section: Section, key: str, default: int, most: int) -> int:
    if key not in section.names():
        section.ignore(key)
        return default
    text = section.string(key)
    match = SIZE.fullmatch(text)
    size = int(match[1]) * UNITS[match[2]] if match else 0
    if not LEAST_SIZE <= size <= most:
        what = f"{text!r} is not a size from 64k to {most >> 30}g"
        raise section.error(key, what)
    return size
