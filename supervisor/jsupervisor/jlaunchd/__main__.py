"""Start jlaunchd: python -m jsupervisor.jlaunchd SETUP INCARNATION.

SETUP is JSON (see `jsupervisor.boot`); init counts the incarnations.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from pathlib import Path
from typing import Final

import trio

from jsupervisor import linux
from jsupervisor.containment import limits
from jsupervisor.init.standby import WORD
from jsupervisor.initproto import Connection
from jsupervisor.jlaunchd.daemon import Jlaunchd
from jsupervisor.jlaunchd.identity import in_child, introduce, speakers
from jsupervisor.jlaunchd.initlink import InitLink
from jsupervisor.jlaunchd.planfile import read_plan
from jsupervisor.launcher.child import leave
from jsupervisor.paths import make_module_folder
from jsupervisor.runtime.crash import CrashTrace, discard_traces, open_trace
from jsupervisor.runtime.host import Host
from jsupervisor.runtime.initlink import Descriptors
from jsupervisor.runtime.order import Order

SWITCH_SECONDS: Final = 0.0005
"""A thread that writes a journal or a post-mortem gives way to the loop so soon."""


def main(text: str, incarnation: int) -> int:
    """Supervise until init kills this process; an exit code otherwise, which is a crash."""
    linux.set_process_name("jlaunchd")
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.freeze()
    setup = json.loads(text)
    if incarnation == 1:
        discard_traces(setup["home"])
    trace = CrashTrace(open_trace(setup["home"], "jlaunchd", incarnation))
    trace.enable()
    plan = read_plan(Path(setup["home"]) / "plan.json")
    limits.no_core()
    if not plan.hooks:  # the hook of an owner without root may be one that gains rights
        limits.no_new_privs()
    make_module_folder(setup["run_dir"], "jlaunchd")
    connection = Connection.open(os.path.join(setup["run_dir"], "init.sock"))
    names = [name for program in plan.programs for name in speakers(plan, program)]
    identity, issuer = introduce(connection, setup["instance"], names, in_child)
    link = InitLink(connection)
    order = Order(
        instance=setup["instance"],
        name="jlaunchd",
        executable="jlaunchd",
        incarnation=incarnation,
        entry="",
        run_dir=setup["run_dir"],
        home=setup["home"],
        architecture=plan.architecture,
    )
    daemon = Jlaunchd(order, plan, link, issuer)
    host = Host(daemon, Descriptors(link), lambda stage: None, identity)
    try:
        trio.run(host.run)
    except BaseException as error:  # noqa: BLE001 - whatever it was, init starts the next one
        trace.end_by(error)
    return 1


def await_call() -> int:
    """As a standby: wait until init says which incarnation this is; 0 when it ends instead."""
    linux.set_process_name("jlaunchd-spare")
    gc.freeze()
    word = os.read(0, 32)
    return int(word) if word else 0


if __name__ == "__main__":
    number = await_call() if sys.argv[2] == WORD else int(sys.argv[2])
    leave(main(sys.argv[1], number) if number else 0)
