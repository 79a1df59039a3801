"""The gRPC service of alarmd, and the shapes of its messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import grpc

from jdaemons.alarmd.events import Alarm, AlarmClass, Cleared, Event, Raised
from jprotos.alarmd.v1 import alarmd_pb2 as pb
from jprotos.alarmd.v1 import alarmd_pb2_grpc
from jsupervisor.runtime.rpc import Seam

_CLASSES = {pb.ALARM_CLASS_MINOR: AlarmClass.MINOR, pb.ALARM_CLASS_MAJOR: AlarmClass.MAJOR}
_NUMBERS = {alarm_class: number for number, alarm_class in _CLASSES.items()}


def read_alarm(message: pb.Alarm) -> Alarm:
    """An alarm as it came; an unknown class counts as minor."""
    return Alarm(
        source=message.source,
        alarm_class=_CLASSES.get(message.alarm_class, AlarmClass.MINOR),
        description=message.description,
        short_description=message.short_description,
        type=message.type,
    )


def write_alarm(alarm: Alarm) -> bytes:
    """An alarm as an item of the feed."""
    return pb.Alarm(
        source=alarm.source,
        alarm_class=_NUMBERS[alarm.alarm_class],
        description=alarm.description,
        short_description=alarm.short_description,
        type=alarm.type,
        time=alarm.time,
    ).SerializeToString(deterministic=True)


class AlarmsServicer(alarmd_pb2_grpc.AlarmsServicer):
    """Carries calls into the loop."""

    def __init__(self, seam: Seam, handle: Callable[[Event], Awaitable[None]]) -> None:
        self._seam = seam
        self._handle = handle

    def Raise(self, request: pb.RaiseRequest, context: grpc.ServicerContext) -> pb.RaiseReply:
        """See the proto."""
        self._seam.unary(context, self._handle, Raised(read_alarm(request.alarm)))
        return pb.RaiseReply()

    def Clear(self, request: pb.ClearRequest, context: grpc.ServicerContext) -> pb.ClearReply:
        """See the proto."""
        self._seam.unary(context, self._handle, Cleared(request.source, request.short_description))
        return pb.ClearReply()
