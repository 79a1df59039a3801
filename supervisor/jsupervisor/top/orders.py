"""What an operator orders from the screen: to whom it goes, and how the result is told.

Faults go to init, which carries them out: they work while jlaunchd is away, and on jlaunchd itself.
"""

from __future__ import annotations

from typing import Final

from jprotos.jlaunchd.v1 import jlaunchd_pb2 as pb
from jsupervisor.observer.operator import Operator, OperatorError
from jsupervisor.paths import Instance
from jsupervisor.top.link import Link, LinkError
from jsupervisor.top.model import Kind, Row

HOW: Final = {
    "gracefully": pb.HOW_GRACEFULLY,
    "immediately": pb.HOW_IMMEDIATELY,
    "soft": pb.HOW_SOFT,
}
INIT_SECONDS: Final = 2.0


class OrderError(Exception):
    """An order was not carried out; the text begins with "cannot"."""


def refusal(verb: str, row: Row | None) -> str:
    """Why this cannot be done to what the cursor is on; empty when it can. `verb`: "restart"."""
    if row is None:
        return f"cannot {verb}: there is no module under the cursor"
    if row.kind is Kind.GROUP and verb != "set the policy of":
        return f"cannot {verb} {row.name}: it is a group; choose one of its modules"
    if row.kind is Kind.KEEPER and verb != "inject a fault into":
        return f"cannot {verb} {row.name}: it is no module; K injects a fault"
    if row.name == "init":
        return (
            "cannot inject a fault into init from here: it would end the instance;"
            " see jsupervisor fault inject"
        )
    return ""


class Orders:
    """Carries orders out; each waits for the result, returns it as a line, or raises OrderError."""

    def __init__(self, instance: Instance, link: Link) -> None:
        self._instance = instance
        self._link = link

    def restart(self, module: str, how: str) -> str:
        """Returns when the successor is ready."""
        try:
            reply = self._link.restart(module, HOW[how])
        except LinkError as error:
            raise OrderError(str(error)) from error
        what = "soft reset" if how == "soft" else f"restarted {how}"
        return f"{module}: {what}, pid {reply.pid}, incarnation {reply.incarnation}"

    def start(self, module: str) -> str:
        """It may not run yet when this returns."""
        try:
            self._link.start(module)
        except LinkError as error:
            raise OrderError(str(error)) from error
        return f"{module}: to run"

    def stop(self, module: str) -> str:
        """It may run still when this returns."""
        try:
            self._link.stop(module)
        except LinkError as error:
            raise OrderError(str(error)) from error
        return f"{module}: to stop"

    def set_policy(self, target: str, policy: str) -> str:
        """Of a module or a group; nothing is restarted."""
        try:
            modules = self._link.set_policy(target, policy)
        except LinkError as error:
            raise OrderError(str(error)) from error
        return f"policy of {', '.join(modules)}: {policy}"

    def inject(self, name: str, kind: str) -> str:
        """Returns when the fault has been sent."""
        try:
            with Operator(self._instance, INIT_SECONDS) as operator:
                delivery = operator.inject(name, kind)
        except OperatorError as error:
            raise OrderError(str(error)) from error
        return f"{kind} sent to {name}, pid {delivery.pid}"
