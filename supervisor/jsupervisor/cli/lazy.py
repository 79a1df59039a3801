"""Groups whose commands are imported when they are run, and found by any unambiguous prefix.

A command must not pay for the imports of its sisters: `status` has 0.3 s and no gRPC. Abbreviation is
what Junos' users have in their fingers: `sh int ter`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import ClassVar

import click


class LazyGroup(click.Group):
    """`places` maps the name of a command to "MODULE:ATTRIBUTE"."""

    places: ClassVar[Mapping[str, str]] = {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table, which is the order of a user's needs."""
        return [*self.places, *(name for name in self.commands if name not in self.places)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of exactly this name, imported now."""
        if cmd_name not in self.places:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = self.places[cmd_name].partition(":")
        command: object = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """By name or unambiguous prefix; raises UsageError."""
        if args and not args[0].startswith("-"):
            args = [expand(args[0], self.list_commands(ctx), ctx), *args[1:]]
        return super().resolve_command(ctx, args)


def expand(word: str, names: list[str], ctx: click.Context | None = None) -> str:
    """The one of `names` that `word` is or begins; raises UsageError when it is none or several."""
    if word in names:
        return word
    found = [name for name in names if name.startswith(word)]
    if len(found) == 1:
        return found[0]
    if found:
        raise click.UsageError(f"'{word}' is ambiguous: {', '.join(found)}", ctx)
    raise click.UsageError(f"there is no '{word}', but {', '.join(names)}", ctx)
