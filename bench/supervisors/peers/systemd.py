"""systemd's user manager, in a control group tree and a /run of its own."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Final

from bench.supervisors.system import System, debian_version, write
from bench.supervisors.work import NotToBeHad

MANAGER: Final = Path("/lib/systemd/systemd")
NO_LIMIT: Final = "StartLimitIntervalSec=0\n"


class Systemd(System):
    """Restart=always without its delay and its start limit."""

    policy: ClassVar[str] = "Restart=always, RestartSec=0, StartLimitIntervalSec=0, Type=notify"
    ready: ClassVar[str] = "notify"
    own_cgroup: ClassVar[bool] = True
    unit: ClassVar[str] = NO_LIMIT
    service: ClassVar[str] = "Type=notify\nRestart=always\nRestartSec=0\n"

    @classmethod
    def version(cls) -> str:
        """As Debian has it; needs root, for the control groups."""
        if not MANAGER.exists():
            raise NotToBeHad("systemd is not installed (Debian's package systemd)")
        if os.geteuid() != 0:
            raise NotToBeHad("systemd --user in control groups of its own needs root here")
        return f"{debian_version('systemd')} --user"

    def configure(self) -> None:
        """A unit for each program, and a target that wants them all."""
        units = self.site.folder / "config" / "systemd" / "user"
        (self.site.folder / "run").mkdir()
        for work in self.site.works:
            write(
                units / f"{work.name}.service",
                f"[Unit]\n{self.unit}\n[Service]\n{self.service}ExecStart={' '.join(work.command)}\n",
            )
        wants = "".join(f"Wants={work.name}.service\n" for work in self.site.works)
        write(units / "bench.target", f"[Unit]\n{wants}")

    def command(self) -> Sequence[str]:
        """The manager alone: no bus, no journal."""
        return (str(MANAGER), "--user", "--unit=bench.target", "--log-target=console")

    def environment(self) -> Mapping[str, str]:
        """Its folders inside the site's."""
        folder = str(self.site.folder)
        return {
            "HOME": folder,
            "XDG_CONFIG_HOME": f"{folder}/config",
            "XDG_RUNTIME_DIR": f"{folder}/run",
        }


class SystemdDefault(Systemd):
    """The same with its own delay and its own start limit."""

    policy: ClassVar[str] = "Restart=always, else default: RestartSec 100 ms, 5 starts in 10 s"
    unit: ClassVar[str] = ""
    service: ClassVar[str] = "Type=notify\nRestart=always\n"


class SystemdPatient(Systemd):
    """Its own delay, without its start limit, so that kills can be repeated."""

    policy: ClassVar[str] = "Restart=always, RestartSec default (100 ms), StartLimitIntervalSec=0"
    service: ClassVar[str] = "Type=notify\nRestart=always\n"


class SystemdWatchdog(Systemd):
    """Heartbeats, which are off unless a unit asks for them: WATCHDOG=1 every second."""

    policy: ClassVar[str] = "Restart=always, RestartSec=0, opt-in WatchdogSec=3"
    beat_ms: ClassVar[int] = 1000
    service: ClassVar[str] = f"{Systemd.service}WatchdogSec=3\nNotifyAccess=main\n"
