"""What README and the pages say can be done, can be done; what they point at is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from jsupervisor.cli.main import cli
from jsupervisor.faults.registry import FAULTS
from jsupervisor.jlaunchd.policy import POLICIES
from jsupervisor.runtime.portspec import parse_port_spec

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "HACKING.md", *(ROOT / "docs").rglob("*.md")])
PAGES.append(ROOT / "bench" / "README.md")
PORTS = (ROOT / "docs/how-to/ports.md").read_text()
PORT_ERRORS = re.findall(r"^\| `(.+)` \| `(cannot .+)` \|$", PORTS, re.MULTILINE)


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


@pytest.mark.parametrize(("spec", "error"), PORT_ERRORS)
def test_a_bad_port_specification_gives_the_error_that_the_page_shows(
    spec: str, error: str
) -> None:
    with pytest.raises(ValueError) as caught:
        parse_port_spec(spec)

    assert error == str(caught.value)


def test_there_are_port_errors_to_check() -> None:
    assert len(PORT_ERRORS) >= 8


def test_the_page_on_restarts_knows_every_policy() -> None:
    rows = re.findall(
        r"^\| `([\w-]+)`", (ROOT / "docs/how-to/restarts.md").read_text(), re.MULTILINE
    )

    assert set(POLICIES) <= set(rows)


def test_the_page_on_testing_knows_every_fault() -> None:
    text = (ROOT / "docs/how-to/test-with-jsupervisor.md").read_text()

    assert [] == [name for name in FAULTS if f"`{name}" not in text]


def test_readme_marks_the_two_commands_that_ci_runs() -> None:
    text = (ROOT / "README.md").read_text()
    commands = re.findall(r"<!-- (\w+)-command -->\n```sh\n(.+)\n```\n<!-- end -->", text)

    assert ["demo", "test"] == [name for name, _ in commands]
    assert all(command.startswith("python3 -m venv .venv && ") for _, command in commands)


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs/adr").glob("*.md"))]

    assert list(range(1, len(numbers) + 1)) == numbers
