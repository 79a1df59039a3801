"""Whatever happens to one module, the others neither restart nor lose a session."""

from __future__ import annotations

import pytest

from jsupervisor.testing import Router
from jsupervisor.testing.sessions import dropped_among_others

pytestmark = pytest.mark.system

MODULES = ("eventd", "alarmd", "chassisd", "mgd", "dcd", "rpd", "pfectl0", "pfe0")
KINDS = ("kill", "segv", "abort", "exit:17", "exception", "stop", "spin", "spin-c")


def await_sessions(router: Router) -> None:
    """Until every session stands and has heard all; each module says so itself."""
    router.wait_ready()
    while not all(session.connected and session.synced for session in router.sessions()):
        router.watcher.wait_next(0.02)


@pytest.mark.parametrize(
    ("module", "kind"),
    [(module, "kill") for module in MODULES]
    + [("rpd", kind) for kind in KINDS if kind != "kill"]
    + [("pfe0", kind) for kind in KINDS if kind != "kill"],
)
def test_a_fault_stays_where_it_was_put(vmx: Router, module: str, kind: str) -> None:
    await_sessions(vmx)
    before, sessions = vmx.processes(), vmx.sessions()
    report = vmx.inject(kind, module)
    await_sessions(vmx)
    after = vmx.processes()

    assert "" == report.why
    assert report.effective
    assert {module} == {name for name in before if before[name] != after[name]}
    assert [] == dropped_among_others(sessions, vmx.sessions(), {module})
