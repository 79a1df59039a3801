"""The shell of alarmd: the Alarms service in, the feed `alarms` out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

import grpc

from jdaemons.alarmd.core import Core, TooManyAlarmsError
from jdaemons.alarmd.events import Alarm, Clear, Event, Publish, Raise, Withdraw
from jdaemons.alarmd.services import AlarmsServicer
from jdaemons.alarmd.show import alarm_information
from jdaemons.alarmd.wire import WireError, check_name, read_alarm, write_alarm
from jprotos.alarmd.v1 import alarmd_pb2, alarmd_pb2_grpc
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
        """The Alarms service."""
        servicer = AlarmsServicer(seam, self.raise_alarm, self.clear_alarm)
        alarmd_pb2_grpc.add_AlarmsServicer_to_server(servicer, server)

    def operational(self) -> Mapping[str, Query]:
        """`alarm-information`."""
        return {"alarm-information": lambda _: alarm_information(self.core.active.values())}

    async def raise_alarm(self, request: alarmd_pb2.RaiseRequest) -> alarmd_pb2.RaiseReply:
        """A module says that a condition holds."""
        try:
            self._handle(Raise(read_alarm(request.alarm, self.clock.utcnow())))
        except WireError as error:
            raise RpcError(grpc.StatusCode.INVALID_ARGUMENT, str(error)) from error
        except TooManyAlarmsError as error:
            raise RpcError(grpc.StatusCode.RESOURCE_EXHAUSTED, str(error)) from error
        return alarmd_pb2.RaiseReply()

    async def clear_alarm(self, request: alarmd_pb2.ClearRequest) -> alarmd_pb2.ClearReply:
        """A module says that a condition holds no longer."""
        try:
            check_name(request.source, request.short_description)
        except WireError as error:
            raise RpcError(grpc.StatusCode.INVALID_ARGUMENT, str(error)) from error
        self._handle(Clear(request.source, request.short_description))
        return alarmd_pb2.ClearReply()

    def _handle(self, event: Event) -> None:
        for command in self.core.handle(event):
            match command:
                case Publish(alarm):
                    self.alarms.set(alarm.key, write_alarm(alarm))
                    self.log.warning(AlarmdTag.ALARMD_ALARM_SET, f"Alarm set: {_words(alarm)}")
                case Withdraw(alarm):
                    self.alarms.remove(alarm.key)
                    text = f"Alarm cleared: {_words(alarm)}"
                    self.log.notice(AlarmdTag.ALARMD_ALARM_CLEARED, text)


def _words(alarm: Alarm) -> str:
    return (
        f"class={alarm.alarm_class.value}, type={alarm.type}, source={alarm.source},"
        f" reason={alarm.description}"
    )
