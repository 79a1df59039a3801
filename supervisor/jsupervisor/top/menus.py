"""The screens over the screen: a question, a choice, the keys, and the page of one module."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from jsupervisor.cli.render.postmortem import Section

KEYS: Final = (
    ("r", "restart gracefully: asked to end, then started again"),
    ("i", "restart immediately: SIGKILL"),
    ("s", "soft restart: SIGHUP, the same process"),
    ("K", "inject a fault"),
    ("S", "stop: stays down until it is started"),
    ("a", "start, also what was given up"),
    ("p", "put a module or a group under another restart policy"),
    ("enter", "all about it: counters, calls, history, post-mortem"),
    ("/", "show only events with these words; !word: without it"),
    ("esc", "show all events again"),
    ("tab", "between modules and events"),
    ("space", "look now"),
    ("q", "quit; nothing that is shown is touched"),
)
NOTES: Final = (
    "DOWN   from the newest end to readiness; counting while it is not ready",
    "TOTAL  all such gaps since the instance started",
    "CPU%   of one processor; after the first look the average of its life",
    "RPC/s  calls served, without heartbeats and without those of this screen",
    "BEAT   since the newest heartbeat was seen",
)


class Confirm(ModalScreen[bool]):
    """A question before something is broken."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "yes"),
        Binding("n,escape,q,enter", "answer(False)", "no"),
    ]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """The question and the two keys."""
        with Vertical(classes="box"):
            yield Static(self._question, classes="heading", markup=False)
            yield Static("[b]y[/b] yes    [b]n[/b] no", classes="hint")

    def action_answer(self, answer: bool) -> None:
        """It was answered."""
        self.dismiss(answer)


class Choose(ModalScreen[str | None]):
    """One of several; None when it is left without a choice."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "leave", "back")]

    def __init__(self, heading: str, choices: Sequence[tuple[str, str]]) -> None:
        """`choices` are values with what they mean."""
        super().__init__()
        self._heading = heading
        self._choices = choices

    def compose(self) -> ComposeResult:
        """The heading and the choices."""
        width = max(len(value) for value, _ in self._choices) + 2
        with Vertical(classes="box wide"):
            yield Static(self._heading, classes="heading", markup=False)
            yield OptionList(
                *(
                    Option(Text.assemble((f"{value:<{width}}", "bold"), meaning), id=value)
                    for value, meaning in self._choices
                )
            )

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """It was chosen."""
        self.dismiss(self._choices[event.option_index][0])

    def action_leave(self) -> None:
        """Nothing was chosen."""
        self.dismiss(None)


class Help(ModalScreen[None]):
    """The keys, and what the columns mean."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter", "dismiss", "back")
    ]

    def compose(self) -> ComposeResult:
        """Two lists."""
        keys = Text("\n").join(
            Text.assemble((f"{key:>7}  ", "bold"), meaning) for key, meaning in KEYS
        )
        with VerticalScroll(classes="box wide"):
            yield Static("Keys", classes="heading")
            yield Static(keys)
            yield Static("Columns", classes="heading later")
            yield Static("\n".join(NOTES), markup=False)


class Details(Screen[None]):
    """The page of one module; its facts go on, the post-mortem is of the time it was opened."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter", "dismiss", "back")]

    def __init__(
        self, page: Callable[[], Sequence[Section]], postmortem: Sequence[Section]
    ) -> None:
        super().__init__()
        self._page = page
        self._postmortem = postmortem

    def compose(self) -> ComposeResult:
        """One page to scroll."""
        with VerticalScroll(id="page"):
            yield Static(id="facts")
            yield Static(_text(self._postmortem), id="postmortem")
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Fill it."""
        self.show()

    def show(self) -> None:
        """Draw the facts as they are now."""
        self.query_one("#facts", Static).update(_text(self._page()))


def _text(sections: Sequence[Section]) -> Text:
    text = Text()
    for section in sections:
        if section.heading:
            text.append(f"\n{section.heading}\n", "bold cyan")
        for number, line in enumerate(section.lines):
            first = not section.heading and number == 0
            text.append(f"{line}\n", "bold" if first else "")
    return text
