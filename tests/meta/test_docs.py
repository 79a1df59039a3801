"""What README and the pages say can be done, can be done; what they point at is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from jsupervisor.cli.main import cli

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "HACKING.md", *(ROOT / "docs").rglob("*.md")])
PAGES = [page for page in PAGES if page.exists()]


def command_lines() -> list[tuple[str, str]]:
    """Every `jsupervisor ...` line of a shell block, with its page."""
    found = []
    for page in PAGES:
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL):
            for line in block.splitlines():
                if line.startswith("jsupervisor "):
                    found.append((page.name, line.partition(" #")[0].partition(" > ")[0]))
    return found


@pytest.mark.parametrize(("page", "line"), command_lines())
def test_a_command_that_a_page_shows_exists_with_these_options(page: str, line: str) -> None:
    words = shlex.split(line)[1:]
    command: click.Command = cli
    context = click.Context(cli)
    while isinstance(command, click.Group):
        found = command.get_command(context, words[0])
        assert found is not None, f"{page}: {line}"
        command, words = found, words[1:]

    command.make_context(line, words, resilient_parsing=False)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    missing = [target for target in targets if not (page.parent / target).exists()]

    assert [] == missing
