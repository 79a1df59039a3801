"""Draw every state machine from its table: docs/states/NAME.dot, for Graphviz.

    python docs/make_state_diagrams.py

A drawing made by hand would not survive the next change of the table. What the pictures cannot show:
which event a guard (the restart policy, a deadline) makes of what happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from jdaemons.chassisd import fpc
from jsupervisor.jlaunchd import child
from jsupervisor.runtime.fsm import dot

FOLDER: Final = Path(__file__).parent / "states"


def drawings() -> Mapping[str, str]:
    """Graphviz text by file name."""
    return {
        "module.dot": dot("module", child.TRANSITIONS),
        "fpc.dot": dot("fpc", fpc.TRANSITIONS),
    }


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in drawings().items():
        (FOLDER / name).write_text(text)
