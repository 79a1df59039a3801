"""Who may call what: the one table, and the rule that reads it.

Keyed by full method name or "feed:TOPIC"; the values are executables and `operator`, whoever commands
the instance from outside. Who calls stands in its certificate (see `jsupervisor.runtime.identity`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from jsupervisor.runtime.names import executable_of

OPERATOR: Final = "operator"
WATCH: Final = "/jprotos.feed.v1.Feed/Watch"

_MODULES: Final = frozenset(
    ("jlaunchd", "chassisd", "alarmd", "eventd", "mgd", "dcd", "ppmd", "rpd", "pfectl", "pfe")
)
_OPERATOR: Final = frozenset((OPERATOR,))


def _feed(*consumers: str) -> frozenset[str]:
    return frozenset(consumers) | _OPERATOR


ALLOWED: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "feed:config": _feed("chassisd", "dcd", "rpd", "pfectl", "eventd", "alarmd"),
        "feed:ports": _feed("dcd"),
        "feed:interfaces": _feed("rpd", "pfectl"),
        "feed:fib": _feed("pfectl"),
        "feed:links": _feed("chassisd"),
        "feed:counters": _feed("mgd", "alarmd", "dcd"),
        "feed:alarms": _feed("mgd"),
        "/jprotos.runtime.v1.Runtime/Heartbeat": frozenset(("jlaunchd", OPERATOR)),
        "/jprotos.runtime.v1.Runtime/Stats": frozenset(("jlaunchd", OPERATOR)),
        "/jprotos.runtime.v1.Runtime/Get": frozenset(("mgd", OPERATOR)),
        "/jprotos.eventd.v1.Log/Write": _MODULES,
        "/jprotos.eventd.v1.Log/Tail": _OPERATOR,
        "/jprotos.alarmd.v1.Alarms/Raise": _MODULES,
        "/jprotos.alarmd.v1.Alarms/Clear": _MODULES,
        "/jprotos.mgd.v1.Configuration/Check": _OPERATOR,
        "/jprotos.mgd.v1.Configuration/Load": _OPERATOR,
        "/jprotos.mgd.v1.Configuration/Show": _OPERATOR,
        "/jprotos.jlaunchd.v1.Supervisor/List": frozenset(("mgd", OPERATOR)),
        "/jprotos.jlaunchd.v1.Supervisor/Watch": frozenset(("mgd", OPERATOR)),
        "/jprotos.jlaunchd.v1.Supervisor/Restart": frozenset(("mgd", OPERATOR)),
        "/jprotos.jlaunchd.v1.Supervisor/Start": frozenset(("mgd", OPERATOR)),
        "/jprotos.jlaunchd.v1.Supervisor/Stop": frozenset(("mgd", OPERATOR)),
        "/jprotos.jlaunchd.v1.Supervisor/SetPolicy": frozenset(("mgd", OPERATOR)),
        "/jprotos.jlaunchd.v1.Supervisor/Reload": frozenset(("mgd", OPERATOR)),
        "/jprotos.jlaunchd.v1.Supervisor/History": frozenset(("mgd", OPERATOR)),
        "/jprotos.jlaunchd.v1.Supervisor/Inject": frozenset(("mgd", OPERATOR)),
        "/jprotos.jlaunchd.v1.Supervisor/Clear": frozenset(("mgd", OPERATOR)),
        "/jprotos.jlaunchd.v1.Supervisor/KillProcess": frozenset(("mgd", OPERATOR)),
        "/jprotos.jlaunchd.v1.Supervisor/Metrics": frozenset(("mgd", OPERATOR)),
    }
)
_NAMELESS: Final = "a caller without a name of this instance"


def refusal(allowed: Mapping[str, frozenset[str]], right: str, caller: str) -> str | None:
    """Why `caller` (a unique name) may not use `right` (a table key); None when it may.

    What is not in the table nobody may call.
    """
    names = allowed.get(right, frozenset())
    if caller in names or executable_of(caller) in names:
        return None
    who = ", ".join(sorted(names)) or "nobody"
    return f"cannot let {caller or _NAMELESS} use {right}: allowed are {who}"


def method_refusal(allowed: Mapping[str, frozenset[str]], method: str, caller: str) -> str | None:
    """As `refusal`, for a method name, before its message is looked at.

    A Watch passes when any feed at all is open to the caller; which one it asks for stands in the
    message, so the feed's own row is read after that.
    """
    if method != WATCH:
        return refusal(allowed, method, caller)
    feeds = [right for right in allowed if right.startswith("feed:")]
    if any(refusal(allowed, right, caller) is None for right in feeds):
        return None
    return f"cannot let {caller or _NAMELESS} use {method}: no feed is open to it"


def message_refusal(
    allowed: Mapping[str, frozenset[str]], method: str, request: object, caller: str
) -> str | None:
    """Why `caller` may not say what stands in `request`, once the method itself is open to it."""
    if method != WATCH:
        return None
    return refusal(allowed, f"feed:{getattr(request, 'topic', '')}", caller)
