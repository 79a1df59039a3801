"""The Textual application: takes what the feed has found into the model, and has it drawn.

Looking and listening happen in the threads of `feed`, which only post a message.
"""

from __future__ import annotations

import asyncio
import signal

from textual import on
from textual.app import App
from textual.message import Message

from jsupervisor.observer.events import EventRecord
from jsupervisor.paths import Instance
from jsupervisor.top.board import Board
from jsupervisor.top.feed import Feed
from jsupervisor.top.menus import Details
from jsupervisor.top.model import Model


class Arrived(Message):
    """The feed has something."""


class TopApp(App[None]):
    """The screen of one instance."""

    CSS_PATH = "top.tcss"
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self,
        instance: Instance,
        *,
        interval: float = 2.0,
        assume_yes: bool = False,
        feed: type[Feed] = Feed,
    ) -> None:
        """`interval`: seconds between two looks. `assume_yes`: nothing is asked before it is done."""
        super().__init__()
        self.title = f"jsupervisor top {instance.name}"
        self.model = Model()
        self._feed = feed(instance, interval, self._tell)
        self.board = Board(instance, self.model, self._feed, assume_yes)

    def get_default_screen(self) -> Board:
        """Under all others."""
        return self.board

    def on_mount(self) -> None:
        """Begin to look. Whoever ends it gets the terminal back as it was."""
        for signum in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(signum, self.exit)
        self._feed.start()

    def on_unmount(self) -> None:
        """Look no more."""
        self._feed.close()

    def _tell(self) -> None:
        self.post_message(Arrived())

    @on(Arrived)
    def _arrived(self) -> None:
        for item in self._feed.inbox.take():
            if isinstance(item, EventRecord):
                self.model.add(item)
            else:
                self.model.look(item)
        self.board.draw()
        if isinstance(self.screen, Details):
            self.screen.show()
