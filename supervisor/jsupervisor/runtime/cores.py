"""Core files: what is kept of a module that failed, how it is called, and how it is listed.

Named as Junos names the cores of its daemons (rpd.core.0), numbered below the limit of the module. Ours
are no images of memory but JSON text: what a person asks first, and no secret of any table. jlaunchd
writes them; the command line and mgd read them, also when jlaunchd is dead.
"""

from __future__ import annotations

import grp
import json
import os
import pwd
import re
import stat
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from jsupervisor.initproto import Json, Message

FORMAT: Final = "jsupervisor core 1"
SIX_MONTHS: Final = 182 * 86400.0
_NAME: Final = re.compile(r"([a-z0-9][a-z0-9_-]{0,31})\.core\.(\d{1,6})")


class CoreError(Exception):
    """A core file cannot be read; the text begins with "cannot"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """What is known of one end."""

    module: str
    executable: str
    incarnation: int
    pid: int
    """0 when it is not known: of jlaunchd and the launcher."""
    cause: str
    """Why it ended: "hang", "start-timeout", "signal:SIGSEGV", "exit:1"."""
    ended: str
    """How init reaped it: "signal:SIGABRT" for a hang that wrote its stacks."""
    ordered: str = ""
    """Why somebody ended it, if somebody did: "fault", "hang", "requested:abort"."""
    monotonic_ns: int
    time: str = ""
    """Of the end, as RFC 3339."""
    started: str = ""
    ready: str = ""
    lived_ms: float | None = None
    """From its start to its end."""
    downtime_ms: float | None = None
    """From its end to its successor's readiness, or to the writing of this when that came first."""
    recovered: bool = False
    """Was the successor ready by then?"""
    attempt: int = 0
    next: str = ""
    """What the restart policy decided."""
    utime: float | None = None
    stime: float | None = None
    maxrss_kb: int | None = None
    kernel_core: str = ""
    """Where the kernel put an image of its memory, if it made one."""
    trace: str = ""
    stderr: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    events: tuple[Message, ...] = ()

    @property
    def identity(self) -> tuple[str, int, int, int]:
        """No two ends have the same."""
        return self.module, self.incarnation, self.pid, self.monotonic_ns

    def to_json(self) -> Message:
        """As it stands in the file."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_json(cls, value: Json) -> Core:
        """What `to_json` made; raises CoreError."""
        if not isinstance(value, Mapping) or value.get("format") != FORMAT:
            raise CoreError(f"cannot read it: it is not of the format {FORMAT!r}")
        known = {name: value[name] for name in cls.__dataclass_fields__ if name in value}
        for name in ("stderr", "log", "events"):
            part = known.get(name, ())
            known[name] = tuple(part) if isinstance(part, list | tuple) else ()
        try:
            return cls(**known)  # type: ignore[arg-type]
        except TypeError as error:
            raise CoreError(f"cannot read it: {error}") from error


def cores(folder: Path, module: str = "") -> list[tuple[str, int, Path]]:
    """(module, number, path) of the core files of a module, or of all; the newest last."""
    found = []
    try:
        for path in folder.iterdir():
            match = _NAME.fullmatch(path.name)
            if match and module in ("", match[1]):
                found.append((path.stat().st_mtime_ns, match[1], int(match[2]), path))
    except OSError:
        pass  # no folder, or one was removed while we looked
    return [(name, number, path) for _, name, number, path in sorted(found)]


def core_path(folder: Path, module: str, number: int) -> Path:
    """The file of a module's core with this number."""
    return folder / f"{module}.core.{number}"


def read_core(path: Path) -> Core:
    """The core in a file; raises CoreError."""
    try:
        return Core.from_json(json.loads(path.read_text(encoding="utf-8")))
    except CoreError as error:
        raise CoreError(str(error).replace("it:", f"{path}:", 1)) from error
    except OSError as error:
        raise CoreError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise CoreError(f"cannot read {path}: {error}") from error


def directory_list(folder: Path, now: float) -> Json:
    """`directory-list`, as `show system core-dumps` has it; `now` is the time of day in seconds."""
    output: list[Json] = []
    files: list[Json] = []
    try:
        names = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        files = [_file(path, now) for path in names if path.is_file()]
    except OSError as error:
        output = [f"{folder}/*core*: {error.strerror}"]
    if not files and not output:
        output = [f"{folder}/*core*: No such file or directory"]
    directory: dict[str, Json] = {"file-information": files}
    if output:
        directory["output"] = output
    directory["total-files"] = str(len(files))
    return {"directory-list": {"directory": directory}}


def _file(path: Path, now: float) -> dict[str, Json]:
    status = path.stat()
    return {
        "file-name": str(path),
        "file-permissions": stat.filemode(status.st_mode),
        "file-links": str(status.st_nlink),
        "file-owner": user_name(status.st_uid),
        "file-group": _group_name(status.st_gid),
        "file-size": str(status.st_size),
        "file-date": file_date(status.st_mtime, now),
    }


def file_date(moment: float, now: float) -> str:
    """As ls prints it: the time of day for the last six months, the year before that."""
    when = time.gmtime(moment)
    recent = 0 <= now - moment < SIX_MONTHS
    return time.strftime("%b %e %H:%M" if recent else "%b %e  %Y", when)


def user_name(uid: int) -> str:
    """The user's name, or the number when it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def write_core(core: Core, path: Path) -> None:
    """Put a core into a file, whole or not at all; raises OSError."""
    temporary = path.with_name(f".{path.name}.new")
    data = (json.dumps(core.to_json(), indent=1) + "\n").encode(errors="replace")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        try:
            while data:
                data = data[os.write(fd, data) :]
        finally:
            os.close(fd)
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
