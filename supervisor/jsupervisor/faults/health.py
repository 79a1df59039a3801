"""Does a module's plain socket answer health with SERVING? Asked as any outsider would."""

from __future__ import annotations

from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc


def serving(socket: Path, timeout: float = 2.0) -> bool:
    """One health check over a new channel; False when it fails or says anything but SERVING."""
    # Without its own subchannel a channel may inherit the failed connection of an earlier one.
    options = [("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(f"unix:{socket}", options=options) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            reply = stub.Check(
                health_pb2.HealthCheckRequest(), timeout=timeout, wait_for_ready=True
            )
        except grpc.RpcError:
            return False
    return bool(reply.status == health_pb2.HealthCheckResponse.SERVING)
