"""python -m jsupervisor.testing.traffic LEDGER-FD PLAN: one host process of a test bed.

PLAN is JSON as `flows.to_json` writes it; LEDGER-FD an inherited memory file. It is started by
`testbed.Traffic`, not by hand.
"""

from __future__ import annotations

import sys

from jsupervisor.testing.traffic.flows import from_json
from jsupervisor.testing.traffic.host import main


def run(arguments: list[str]) -> int:
    """The exit status: 2 for arguments that make no sense."""
    if len(arguments) != 2 or not arguments[0].isdigit():
        print("jsupervisor: cannot start a test host: expected LEDGER-FD PLAN", file=sys.stderr)
        return 2
    try:
        plan = from_json(arguments[1])
    except ValueError as error:
        print(f"jsupervisor: {error}", file=sys.stderr)
        return 2
    return main(plan, int(arguments[0]))


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
