"""What is changed while a producer is dead, and what must come of it.

A successor that only started again would look as healthy as one that caught up. So its input is
changed between the death and the recovery; afterwards the forwarding table must differ from before
by exactly that. The second fault of a module takes the change back.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from jsupervisor.demo import lab
from jsupervisor.demo.lab import Inputs, ThirdPeer
from jsupervisor.testing.harness import NoAnswer
from jsupervisor.testing.router import Router

LOAD_SECONDS: Final = 5.0


@dataclass(slots=True)
class Stage:
    """What the changes work on."""

    router: Router
    third: ThirdPeer
    inputs: Inputs


@dataclass(frozen=True, slots=True)
class Change:
    """One change of input, to and fro."""

    prefix: str
    """The only part of the forwarding table that may differ afterwards."""
    present: Callable[[Stage], bool]
    flip: Callable[[Stage], None]


def _load(stage: Stage, inputs: Inputs) -> None:
    deadline = time.monotonic() + LOAD_SECONDS
    while True:
        try:
            stage.router.load_config(lab.config(inputs))
        except NoAnswer:
            # In a monolith mgd died with the victim: its successor is asked.
            if time.monotonic() > deadline:
                raise
            continue
        stage.inputs = inputs
        return


def _flip_static(stage: Stage) -> None:
    _load(stage, replace(stage.inputs, static=not stage.inputs.static))


def _flip_address(stage: Stage) -> None:
    _load(stage, replace(stage.inputs, address=not stage.inputs.address))


def _edit_file(stage: Stage) -> None:
    """mgd itself is dead: its file is edited, and its successor reads it."""
    stage.inputs = replace(stage.inputs, edited=not stage.inputs.edited)
    path = stage.router.instance.config_dir / "juniper.conf"
    temporary = path.with_name("juniper.conf.edited")
    temporary.write_text(lab.config(stage.inputs))
    temporary.replace(path)


def _flip_third(stage: Stage) -> None:
    if stage.third.attached:
        stage.third.detach()
    else:
        stage.third.attach()


_STATIC = Change(lab.STATIC_PREFIX, lambda stage: stage.inputs.static, _flip_static)
_ADDRESS = Change(lab.ADDRESS_PREFIX, lambda stage: stage.inputs.address, _flip_address)
_FILE = Change(lab.EDITED_PREFIX, lambda stage: stage.inputs.edited, _edit_file)
_PORT = Change(lab.THIRD_PREFIX, lambda stage: stage.third.attached, _flip_third)


def change_for(module: str) -> Change | None:
    """What to change while `module` is dead; None for those that produce nothing of the table."""
    return {
        "chassisd": _PORT,
        "dcd": _ADDRESS,
        "mgd": _FILE,
        "rpd": _STATIC,
    }.get(module) or (_PORT if module.startswith("pfectl") else None)
