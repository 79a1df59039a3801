"""Calls to jlaunchd as the operator. Imported only by commands that make one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import grpc

from jprotos.jlaunchd.v1 import jlaunchd_pb2 as pb
from jprotos.jlaunchd.v1 import jlaunchd_pb2_grpc
from jsupervisor.cli.calls import CALL_SECONDS, call_dead_or_alive
from jsupervisor.paths import Instance

Reply = TypeVar("Reply")


def set_policy(instance: Instance, request: pb.SetPolicyRequest) -> list[str]:
    """Put a target under a policy; the modules that it judges. Raises CliError."""
    reply = _ask(
        instance,
        "set the policy",
        lambda stub: stub.SetPolicy(request, timeout=CALL_SECONDS, wait_for_ready=True),
    )
    return list(reply.modules)


def reload(instance: Instance) -> pb.ReloadReply:
    """Have the plan's file read again; what is different. Raises CliError."""
    return _ask(
        instance,
        "reload",
        lambda stub: stub.Reload(pb.ReloadRequest(), timeout=CALL_SECONDS, wait_for_ready=True),
    )


def start_module(instance: Instance, module: str) -> None:
    """Want a module up. Raises CliError."""
    _ask(
        instance,
        f"start {module}",
        lambda stub: stub.Start(
            pb.StartRequest(name=module),
            timeout=CALL_SECONDS,
            wait_for_ready=True,
        ),
    )


def stop_module(instance: Instance, module: str) -> None:
    """Want a module down. Raises CliError."""
    _ask(
        instance,
        f"stop {module}",
        lambda stub: stub.Stop(
            pb.StopRequest(name=module),
            timeout=CALL_SECONDS,
            wait_for_ready=True,
        ),
    )


def clear_module(instance: Instance, module: str) -> None:
    """Take faults back, and forget failures. Raises CliError."""
    _ask(
        instance,
        f"clear {module}",
        lambda stub: stub.Clear(
            pb.ClearRequest(name=module),
            timeout=CALL_SECONDS,
            wait_for_ready=True,
        ),
    )


def _ask(
    instance: Instance,
    what: str,
    send: Callable[[jlaunchd_pb2_grpc.SupervisorStub], Reply],
) -> Reply:
    def over(channel: grpc.Channel) -> Reply:
        return send(jlaunchd_pb2_grpc.SupervisorStub(channel))

    return call_dead_or_alive(instance, "jlaunchd", what, over)
