"""Feeds on the wire: the gRPC servicer of a producer, the task of a consumer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Final

import grpc
import trio

from jprotos.feed.v1 import feed_pb2, feed_pb2_grpc
from jsupervisor.runtime.feed import Change, FeedSource, Publisher
from jsupervisor.runtime.log import Log, Tag
from jsupervisor.runtime.replica import FeedError, Replica
from jsupervisor.runtime.rpc import Client, RpcError, Seam

RETRY_FIRST: Final = 0.02
RETRY_MOST: Final = 1.0


class FeedServicer(feed_pb2_grpc.FeedServicer):
    """Offers a module's publishers. Who may watch which was asked before (see `guard`)."""

    def __init__(self, seam: Seam, publishers: Sequence[Publisher]) -> None:
        self._seam = seam
        self._publishers = {publisher.topic: publisher for publisher in publishers}

    def Watch(
        self, request: feed_pb2.WatchRequest, context: grpc.ServicerContext
    ) -> Iterator[feed_pb2.Update]:
        """See feed.proto."""
        if request.topic not in self._publishers:
            topics = ", ".join(sorted(self._publishers)) or "none"
            text = f"cannot watch {request.topic!r}: the topics here are {topics}"
            context.abort(grpc.StatusCode.NOT_FOUND, text)
        return self._seam.stream(context, self._watch, request)

    async def _watch(self, request: feed_pb2.WatchRequest) -> AsyncIterator[feed_pb2.Update]:
        publisher = self._publishers[request.topic]
        waker = _Waker()
        subscription = publisher.subscribe(request, waker.wake)
        try:
            while True:
                updates = subscription.take()
                for update in updates:
                    yield update
                if not updates:
                    await waker.wait()
        finally:
            publisher.unsubscribe(subscription)


class _Waker:
    """An event that can happen again."""

    def __init__(self) -> None:
        self._event = trio.Event()

    def wake(self) -> None:
        self._event.set()

    async def wait(self) -> None:
        await self._event.wait()
        self._event = trio.Event()


class FeedReader:
    """Keeps one replica in step with its producer, through every death of it."""

    def __init__(
        self,
        source: FeedSource,
        client: Client,
        deliver: Callable[[Change], Awaitable[None]],
        log: Log,
    ) -> None:
        self.replica = Replica(source)
        self.first_synced = trio.Event()
        """Set at the first end-of-snapshot of this life, after its changes were delivered."""
        self._source = source
        self._watch = feed_pb2_grpc.FeedStub(client.channel).Watch
        self._client = client
        self._deliver = deliver
        self._log = log

    async def run(self) -> None:
        """Until cancelled."""
        delay = RETRY_FIRST
        try:
            while True:
                before = self.replica.established
                why = await self._one_stream()
                self._note(why, established=self.replica.established > before)
                delay = RETRY_FIRST if self.replica.established > before else delay
                self.replica.disconnected()
                await trio.sleep(delay)
                delay = min(delay * 2, RETRY_MOST)
        finally:
            self.replica.disconnected(wanted=True)

    async def _one_stream(self) -> str:
        """Follow one stream to its end; why it ended."""
        try:
            async with self._client.stream(self._watch, self.replica.request()) as updates:
                async for update in updates:
                    await self._take(update)
        except RpcError as error:
            return f"{error.code.name.lower()}: {error.text}"
        except FeedError as error:
            return str(error)
        return "the producer ended it"

    async def _take(self, update: feed_pb2.Update) -> None:
        change = self.replica.handle(update)
        if change is not None:
            await self._deliver(change)
        if self.replica.synced and update.kind == feed_pb2.KIND_END_OF_SNAPSHOT:
            text = f"feed {self._source.topic} of {self._source.producer} is synced"
            self._log.info(Tag.FEED_SYNCED, text, incarnation=update.incarnation, seq=update.seq)
            self.first_synced.set()

    def _note(self, why: str, *, established: bool) -> None:
        text = f"feed {self._source.topic} of {self._source.producer} ended: {why}"
        if established:
            self._log.warning(Tag.FEED_LOST, text)
        else:
            self._log.info(Tag.FEED_REFUSED, text)
