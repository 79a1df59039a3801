"""Start init from its order: one JSON argument. See `jsupervisor.boot`, which writes it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from jsupervisor import linux
from jsupervisor.init.server import Init
from jsupervisor.init.state import Boot
from jsupervisor.paths import Instance


def main(text: str) -> int:
    """Run one instance to its end; leaves no run folder behind after an orderly stop."""
    fields = json.loads(text)
    for argv in ("jlaunchd", "launcher"):
        fields[argv] = tuple(fields[argv])
    boot = Boot(**fields)
    os.set_inheritable(boot.lock_fd, False)
    if boot.lifeline_fd >= 0:
        os.set_inheritable(boot.lifeline_fd, False)
    linux.set_process_name("jinit")
    code = Init(boot).run()
    Instance(boot.instance, Path(boot.home), Path(boot.run_dir)).sweep()
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
