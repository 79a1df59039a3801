"""Check a configuration file without a router: python -m jdaemons.mgd check FILE.

Exit code 0 when it is good, 1 when it is not, 2 when it cannot be read or the command is wrong.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from jdaemons.mgd.check import check
from jdaemons.mgd.syntax import MAX_TEXT


def main(arguments: Sequence[str]) -> int:
    """One line on stderr for each problem."""
    match list(arguments):
        case ["check", name]:
            return check_file(Path(name))
        case _:
            print("usage: python -m jdaemons.mgd check FILE", file=sys.stderr)
            return 2


def check_file(path: Path) -> int:
    """Say what is wrong with the file."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MAX_TEXT + 1)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        print(f"cannot read {path}: {why}", file=sys.stderr)
        return 2
    problems = check(text).problems
    for problem in problems:
        place = f":{problem.place.line}:{problem.place.column}" if problem.place else ""
        print(f"{path}{place}: cannot load: {problem.message}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
