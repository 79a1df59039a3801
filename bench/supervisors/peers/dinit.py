"""dinit, where there is one: Debian has it from release 13 on."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from typing import ClassVar

from bench.supervisors.system import System, write
from bench.supervisors.work import NotToBeHad


class Dinit(System):
    """dinit with readiness, without its restart limit."""

    policy: ClassVar[str] = "restart=true, restart-limit-count=0, pipefd readiness; delay 0.2 s"
    ready: ClassVar[str] = "fd:3"

    @classmethod
    def version(cls) -> str:
        """What it says itself."""
        path = shutil.which("dinit", path="/usr/sbin:/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
        if path is None:
            raise NotToBeHad(
                "Debian 12 has no package of it, and its source is on none of the package registries;"
                " a dinit on the path would be measured"
            )
        result = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        return [*result.stdout.split("version"), "?"][1].split()[0].rstrip(".")

    def configure(self) -> None:
        """A file for each program, and boot, which waits for all."""
        services = self.site.folder / "services"
        for work in self.site.works:
            lines = [
                "type = process",
                f"command = {' '.join(work.command)}",
                "restart = true",
                "restart-limit-count = 0",
                "ready-notification = pipefd:3",
            ]
            write(services / work.name, "\n".join(lines) + "\n")
        waits = "".join(f"waits-for: {work.name}\n" for work in self.site.works)
        write(services / "boot", f"type = internal\n{waits}")

    def command(self) -> Sequence[str]:
        """As a user's service manager."""
        folder = self.site.folder
        services = str(folder / "services")
        return ("dinit", "--user", "-d", services, "-p", str(folder / "control"), "-q")
