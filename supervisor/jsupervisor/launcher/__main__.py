"""Start the launcher: python -m jsupervisor.launcher SETUP, where SETUP is JSON (see `Setup`)."""

from __future__ import annotations

import json
import os
import sys

from jsupervisor import linux
from jsupervisor.containment.cells import Cells
from jsupervisor.containment.ground import Ground, NoUids
from jsupervisor.launcher.child import leave
from jsupervisor.launcher.server import Setup, Stage


def main(text: str) -> int:
    """Run the lean stage, which forks the full one; the exit code."""
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # numpy would start a thread at import
    os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"  # imported but never used before a fork
    linux.set_process_name("jlauncher")
    fields = json.loads(text)
    setup = Setup(
        run_dir=fields["run_dir"],
        init_pid=os.getppid(),
        lean_imports=tuple(fields["lean_imports"]),
        full_imports=tuple(fields["full_imports"]),
        blanks=bool(fields.get("blanks")),
    )
    try:
        machine = Ground.from_json(fields.get("containment")).prepare()
    except NoUids as error:
        print(error, file=sys.stderr, flush=True)
        return 1
    return Stage(setup, "lean", Cells(machine)).run()


if __name__ == "__main__":
    leave(main(sys.argv[1]))
