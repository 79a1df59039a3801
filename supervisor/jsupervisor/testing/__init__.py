"""The public harness: boot a router of real processes, break it, send traffic, await events.

    from jsupervisor.testing import Router

    with Router.boot(profile="vmx") as router:
        report = router.inject("kill", "rpd")
        assert report.recovered

`Router` blocks, `AsyncRouter` is the same for trio; `Traffic` sends packets through the router's
ports and accounts for each. docs/how-to/test-with-jsupervisor.md is the introduction. What the
project's own tests do, they do with this; there is no back door.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jsupervisor.faults.injection import FaultReport
    from jsupervisor.observer.events import EventRecord
    from jsupervisor.observer.processes import ProcessId
    from jsupervisor.observer.status import InstanceStatus, ModuleStatus
    from jsupervisor.testing.async_router import AsyncRouter
    from jsupervisor.testing.harness import HarnessError
    from jsupervisor.testing.router import Router
    from jsupervisor.testing.sessions import Session
    from jsupervisor.testing.traffic.flows import Flow, HostPlan
    from jsupervisor.testing.traffic.losses import Loss
    from jsupervisor.testing.traffic.testbed import Traffic, TrafficError

__all__ = [
    "AsyncRouter",
    "EventRecord",
    "FaultReport",
    "Flow",
    "HarnessError",
    "HostPlan",
    "InstanceStatus",
    "Loss",
    "ModuleStatus",
    "ProcessId",
    "Router",
    "Session",
    "Traffic",
    "TrafficError",
]

_WHERE = {
    "AsyncRouter": "jsupervisor.testing.async_router",
    "EventRecord": "jsupervisor.observer.events",
    "FaultReport": "jsupervisor.faults.injection",
    "Flow": "jsupervisor.testing.traffic.flows",
    "HarnessError": "jsupervisor.testing.harness",
    "HostPlan": "jsupervisor.testing.traffic.flows",
    "InstanceStatus": "jsupervisor.observer.status",
    "Loss": "jsupervisor.testing.traffic.losses",
    "ModuleStatus": "jsupervisor.observer.status",
    "ProcessId": "jsupervisor.observer.processes",
    "Router": "jsupervisor.testing.router",
    "Session": "jsupervisor.testing.sessions",
    "Traffic": "jsupervisor.testing.traffic.testbed",
    "TrafficError": "jsupervisor.testing.traffic.testbed",
}


def __getattr__(name: str) -> object:
    # A host process of the traffic generator imports this package too, and must start at once.
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_WHERE[name]), name)
