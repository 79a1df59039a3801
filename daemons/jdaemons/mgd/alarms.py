"""The alarm about a damaged configuration, kept as alarmd shows it, whatever happens to alarmd.

alarmd forgets at its death, so what holds is said again from time to time. Once in its life mgd says
also that nothing holds: its predecessor may have raised the alarm, and somebody repaired the file.
"""

from __future__ import annotations

import math
from typing import Final

import trio

from jprotos.alarmd.v1 import alarmd_pb2, alarmd_pb2_grpc
from jsupervisor.runtime.rpc import Client, RpcError

SHORT: Final = "configuration damaged"
RETRY: Final = 1.0
AGAIN: Final = 5.0
TIMEOUT: Final = 1.0


class DamageAlarm:
    """What alarmd should show: a description, or nothing when that is empty.

    As long as it was not set, nothing is known, and nothing told.
    """

    def __init__(self, source: str) -> None:
        self.description: str | None = None
        self._source = source
        self._changed = trio.Event()

    def set(self, description: str) -> None:
        """From now on this holds."""
        if description != self.description:
            self.description = description
            self._changed.set()

    async def run(self, client: Client) -> None:
        """Keep alarmd told, for ever."""
        while True:
            self._changed = trio.Event()
            done = self.description is None or await self._tell(client)
            holds = AGAIN if self.description else math.inf
            with trio.move_on_after(holds if done else RETRY):
                await self._changed.wait()

    async def _tell(self, client: Client) -> bool:
        stub = alarmd_pb2_grpc.AlarmsStub(client.channel)
        try:
            if self.description:
                alarm = alarmd_pb2.Alarm(
                    source=self._source,
                    alarm_class=alarmd_pb2.ALARM_CLASS_MINOR,
                    description=self.description,
                    short_description=SHORT,
                    type="Configuration",
                )
                request = alarmd_pb2.RaiseRequest(alarm=alarm)
                await client.unary(stub.Raise, request, timeout=TIMEOUT)
            else:
                clear = alarmd_pb2.ClearRequest(source=self._source, short_description=SHORT)
                await client.unary(stub.Clear, clear, timeout=TIMEOUT)
        except RpcError:
            return False
        return True
