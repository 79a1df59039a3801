"""Alarms of the supervisor, kept raised at alarmd whatever happens to alarmd.

What is wanted is state here; what alarmd was told is forgotten when alarmd starts anew, and the
difference is sent again until it is taken.
"""

from __future__ import annotations

import math
from typing import Final

import trio

from jprotos.alarmd.v1 import alarmd_pb2, alarmd_pb2_grpc
from jsupervisor.runtime.rpc import Client, RpcError

SOURCE: Final = "jlaunchd"
RETRY: Final = 0.5
TIMEOUT: Final = 1.0


class Alarms:
    """The wanted alarms by module, and how far alarmd knows of them."""

    def __init__(self) -> None:
        self.wanted: dict[str, str] = {}
        self._told: dict[str, str] = {}
        self._changed = trio.Event()

    def raise_alarm(self, name: str, text: str) -> None:
        """Want an alarm for a module."""
        self.wanted[name] = text
        self._changed.set()

    def clear(self, name: str) -> None:
        """Want none."""
        if self.wanted.pop(name, None) is not None:
            self._changed.set()

    def forget_told(self) -> None:
        """alarmd started anew and knows nothing, whatever a call under way may yet answer."""
        self._told = {}
        self._changed.set()

    def difference(self) -> tuple[dict[str, str], list[str]]:
        """What alarmd has yet to be told: alarms to raise, and names to clear."""
        raising = {n: text for n, text in self.wanted.items() if self._told.get(n) != text}
        return raising, [name for name in self._told if name not in self.wanted]

    async def run(self, client: Client) -> None:
        """Keep alarmd told, for ever."""
        stub = alarmd_pb2_grpc.AlarmsStub(client.channel)
        while True:
            self._changed = trio.Event()
            done = await self._tell(client, stub)
            with trio.move_on_after(math.inf if done else RETRY):
                await self._changed.wait()

    async def _tell(self, client: Client, stub: alarmd_pb2_grpc.AlarmsStub) -> bool:
        raising, clearing = self.difference()
        told = self._told
        try:
            for name, text in raising.items():
                request = alarmd_pb2.RaiseRequest(
                    alarm=alarmd_pb2.Alarm(
                        source=SOURCE,
                        alarm_class=alarmd_pb2.ALARM_CLASS_MAJOR,
                        description=text,
                        short_description=f"{name} thrashing",
                        type="System",
                    )
                )
                await client.unary(stub.Raise, request, timeout=TIMEOUT)
                told[name] = text
            for name in clearing:
                clear = alarmd_pb2.ClearRequest(
                    source=SOURCE, short_description=f"{name} thrashing"
                )
                await client.unary(stub.Clear, clear, timeout=TIMEOUT)
                told.pop(name, None)
        except RpcError:
            return False
        return True
