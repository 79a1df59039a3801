"""Does a module's plain socket answer health with SERVING? Asked as any outsider would."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

PAUSE_SECONDS: Final = 0.005


def serving(socket: Path, timeout: float = 2.0) -> bool:
    """Health checks over a new channel until one says SERVING; False when none does in time.

    One is enough as a rule: a module that reports ready serves. jlaunchd's ready is init's word, and
    its own socket may follow a moment later.
    """
    deadline = time.monotonic() + timeout
    # Without its own subchannel a channel may inherit the failed connection of an earlier one.
    options = [("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(f"unix:{socket}", options=options) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        while (left := deadline - time.monotonic()) > 0:
            if _check(stub, left):
                return True
            time.sleep(min(left, PAUSE_SECONDS))
    return False


def _check(stub: health_pb2_grpc.HealthStub, timeout: float) -> bool:
    try:
        reply = stub.Check(health_pb2.HealthCheckRequest(), timeout=timeout, wait_for_ready=True)
    except grpc.RpcError:
        return False
    return bool(reply.status == health_pb2.HealthCheckResponse.SERVING)
