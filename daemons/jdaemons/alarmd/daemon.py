"""The shell of alarmd: calls in, the core, the feed `alarms` out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

import grpc

from jdaemons.alarmd.core import Core
from jdaemons.alarmd.events import Event, Publish, Refuse, Withdraw
from jdaemons.alarmd.services import AlarmsServicer, write_alarm
from jdaemons.alarmd.show import alarm_information
from jprotos.alarmd.v1 import alarmd_pb2_grpc
from jsupervisor.runtime.clock import rfc3339
from jsupervisor.runtime.daemon import Daemon, Query
from jsupervisor.runtime.feed import Publisher
from jsupervisor.runtime.order import Order
from jsupervisor.runtime.rpc import RpcError, Seam


class AlarmdTag(StrEnum):
    """What alarmd has to say."""

    ALARMD_ALARM_SET = "ALARMD_ALARM_SET"
    ALARMD_ALARM_CLEARED = "ALARMD_ALARM_CLEARED"


class Alarmd(Daemon):
    """The alarm control process."""

    def __init__(self, order: Order) -> None:
        super().__init__(order)
        self.core = Core()
        self.alarms = Publisher("alarms")

    def publishers(self) -> Sequence[Publisher]:
        """`alarms`."""
        return (self.alarms,)

    def services(self, seam: Seam, server: grpc.Server) -> None:
        """Raise and clear."""
        alarmd_pb2_grpc.add_AlarmsServicer_to_server(AlarmsServicer(seam, self.handle), server)

    def operational(self) -> Mapping[str, Query]:
        """`alarm-information`."""
        return {"alarm-information": lambda _: alarm_information(self.core.alarms.values())}

    async def handle(self, event: Event) -> None:
        """Take one event; raises RpcError for one that cannot be taken."""
        for command in self.core.handle(event, rfc3339(self.clock.utcnow())):
            match command:
                case Publish(alarm):
                    self.alarms.set(alarm.key, write_alarm(alarm))
                    text = f"{alarm.alarm_class.value} alarm set, {alarm.description}"
                    self.log.notice(AlarmdTag.ALARMD_ALARM_SET, text)
                case Withdraw(alarm):
                    self.alarms.remove(alarm.key)
                    text = f"{alarm.alarm_class.value} alarm cleared, {alarm.description}"
                    self.log.notice(AlarmdTag.ALARMD_ALARM_CLEARED, text)
                case Refuse(why):
                    raise RpcError(grpc.StatusCode.INVALID_ARGUMENT, why)
