"""The main screen: header, modules, events; and the keys, each with what it orders.

Nothing here waits: every order is carried out in a thread of its own, which posts a message in the end.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.message import Message
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.widgets import Footer, Input, Static

from jsupervisor.cli.render.postmortem import Section
from jsupervisor.cli.render.postmortem import page as postmortem_page
from jsupervisor.faults.registry import FAULTS
from jsupervisor.jlaunchd.policy import POLICIES
from jsupervisor.paths import Instance
from jsupervisor.runtime.cores import CoreError, cores, read_core
from jsupervisor.top import columns, details
from jsupervisor.top.feed import Feed
from jsupervisor.top.menus import Choose, Confirm, Details, Help
from jsupervisor.top.model import Model, Row
from jsupervisor.top.orders import OrderError, Orders, refusal
from jsupervisor.top.panels import EventLog, ModuleTable
from jsupervisor.top.policies import meaning

EXIT_KIND: Final = ("exit:1", "leaves with status 1")


class Done(Message):
    """An order has been carried out, or not."""

    def __init__(self, text: str, failed: bool) -> None:
        super().__init__()
        self.text = text
        self.failed = failed


class Board(Screen[None]):
    """The instance at a glance."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "restart('gracefully')", "restart"),
        Binding("i", "restart('immediately')", "now"),
        Binding("s", "restart('soft')", "soft"),
        Binding("K", "inject", "fault", key_display="K"),
        Binding("S", "stop", "stop", key_display="S"),
        Binding("a", "start", "start"),
        Binding("p", "set_policy", "policy"),
        Binding("slash", "filter", "filter", key_display="/"),
        Binding("question_mark", "help", "help", key_display="?"),
        Binding("q", "app.quit", "quit"),
        Binding("escape", "clear_filter", show=False),
        Binding("space", "look", show=False),
    ]

    def __init__(self, instance: Instance, model: Model, feed: Feed, assume_yes: bool) -> None:
        """`assume_yes`: nothing is asked before it is done."""
        super().__init__()
        self._instance = instance
        self._model = model
        self._feed = feed
        self._assume_yes = assume_yes
        self._orders = Orders(instance, feed.link)

    # -- what is drawn -------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield Static(id="title", markup=False)
        yield Static(id="totals", markup=False)
        yield Static(id="standing", markup=False)
        yield ModuleTable()
        yield EventLog()
        yield Input(id="filter", placeholder="words that an event must have, !word: must not")
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Keys are about the table."""
        self.query_one("#filter", Input).display = False
        self.query_one("#standing", Static).display = False
        self.query_one(ModuleTable).focus()

    def on_resize(self, event: Resize) -> None:
        """Other columns may fit."""
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        """Draw what the model knows now."""
        view = self._model.view(time.monotonic_ns())
        # A new text of one line moves nothing: a layout of everything would cost more than the rest.
        self.query_one("#title", Static).update(columns.title(view.header), layout=False)
        self.query_one("#totals", Static).update(columns.totals(view.header), layout=False)
        self._draw_standing(columns.standing(view.header))
        table = self.query_one(ModuleTable)
        table.show(view.rows, table.scrollable_content_region.width)
        self.query_one(EventLog).show(self._model)

    def _draw_standing(self, text: str) -> None:
        standing = self.query_one("#standing", Static)
        if text or standing.display:
            standing.update(text, layout=False)
            standing.display = bool(text)

    # -- what is ordered -----------------------------------------------------------------

    def action_restart(self, how: str) -> None:
        """Restart the module under the cursor."""
        row = self._allowed("restart")
        if row is not None:
            do = partial(self._orders.restart, row.name, how)
            question = "" if how == "soft" else f"Restart {row.name} {how}?"
            self._ask(question, do)

    def action_stop(self) -> None:
        """Stop it."""
        row = self._allowed("stop")
        if row is not None:
            self._ask(f"Stop {row.name}?", partial(self._orders.stop, row.name))

    def action_start(self) -> None:
        """Start it."""
        row = self._allowed("start")
        if row is not None:
            self._ask("", partial(self._orders.start, row.name))

    def action_inject(self) -> None:
        """Have a fault chosen, and inject it."""
        row = self._allowed("inject a fault into")
        if row is None:
            return
        name = row.name

        def chosen(kind: str | None) -> None:
            if kind is not None:
                self._ask(f"Inject {kind} into {name}?", partial(self._orders.inject, name, kind))

        kinds = [(kind, fault.summary) for kind, fault in FAULTS.items()]
        self.app.push_screen(Choose(f"Fault for {name}", [*kinds, EXIT_KIND]), chosen)

    def action_set_policy(self) -> None:
        """Have a policy chosen, and set it."""
        row = self._allowed("set the policy of")
        if row is None:
            return
        name = row.name

        def chosen(policy: str | None) -> None:
            if policy is not None:
                self._ask("", partial(self._orders.set_policy, name, policy))

        policies = [(policy, meaning(rule)) for policy, rule in POLICIES.items()]
        self.app.push_screen(Choose(f"Restart policy of {name}", policies), chosen)

    def _allowed(self, verb: str) -> Row | None:
        row = self.query_one(ModuleTable).chosen
        why = refusal(verb, row)
        if why:
            self.notify(why, severity="warning", markup=False)
            return None
        return row

    def _ask(self, question: str, do: Callable[[], str]) -> None:
        """Do it when the question is answered with yes; at once without a question, or with --yes."""
        if self._assume_yes or not question:
            self._carry_out(do)
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._carry_out(do)

        self.app.push_screen(Confirm(question), answered)

    def _carry_out(self, do: Callable[[], str]) -> None:
        def run() -> None:
            try:
                done = Done(do(), failed=False)
            except OrderError as error:
                done = Done(str(error), failed=True)
            self.post_message(done)

        # Not a worker: those are waited for at the end, and a restart may take a minute.
        threading.Thread(target=run, daemon=True).start()

    @on(Done)
    def _done(self, message: Done) -> None:
        severity: SeverityLevel = "error" if message.failed else "information"
        self.notify(message.text, severity=severity, markup=False)
        self._feed.look_soon()

    # -- the rest ------------------------------------------------------------------------

    def action_help(self) -> None:
        """The keys."""
        self.app.push_screen(Help())

    def action_look(self) -> None:
        """Look now."""
        self._feed.look_soon()

    def action_details(self) -> None:
        """The page of what the cursor is on."""
        row = self.query_one(ModuleTable).chosen
        if row is None:
            return
        name = row.name
        facts = lambda: details.page(self._model, name, time.monotonic_ns())
        self.app.push_screen(Details(facts, newest_postmortem(self._instance, name)))

    @on(ModuleTable.Chosen)
    def _row_selected(self) -> None:
        self.action_details()

    def action_filter(self) -> None:
        """Type the words that events must have."""
        field = self.query_one("#filter", Input)
        field.display = True
        field.value = self.query_one(EventLog).filter
        field.focus()

    def action_clear_filter(self) -> None:
        """All events again."""
        self.query_one("#filter", Input).value = ""
        self._filter("")

    @on(Input.Changed, "#filter")
    def _typed(self, event: Input.Changed) -> None:
        self.query_one(EventLog).refilter(event.value, self._model)

    @on(Input.Submitted, "#filter")
    def _submitted(self, event: Input.Submitted) -> None:
        self._filter(event.value)

    def _filter(self, words: str) -> None:
        self.query_one(EventLog).refilter(words, self._model)
        self.query_one("#filter", Input).display = False
        self.query_one(ModuleTable).focus()


def newest_postmortem(instance: Instance, name: str) -> list[Section]:
    """The newest core file of a module as a page; nothing when there is none."""
    found = cores(instance.crash_dir, name)
    if not found:
        return []
    _, number, path = found[-1]
    try:
        sections = postmortem_page(read_core(path), number, str(path))
    except CoreError as error:
        return [Section("Post-mortem", [str(error)])]
    head, *rest = sections
    return [Section("Newest post-mortem", head.lines), *rest]
