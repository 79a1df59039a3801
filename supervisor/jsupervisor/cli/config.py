"""`jsupervisor config`: check a file, load it whole or not at all, show what is in force."""

from __future__ import annotations

import getpass
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import click

from jsupervisor.cli.common import (
    find_instance,
    group_name_option,
    json_option,
    name_option,
    print_json,
)
from jsupervisor.cli.errors import WRONG, CliError
from jsupervisor.cli.lazy import LazyGroup

CHECK_SECONDS: Final = 60.0


def check_file(path: str) -> list[str]:
    """What is wrong with a configuration file, one "PLACE: message" each; raises CliError.

    mgd checks in a process of its own: the supervisor never imports a daemon.
    """
    argv = [sys.executable, "-P", "-m", "jdaemons.mgd", "check", path]
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, timeout=CHECK_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CliError(f"cannot check {path}: {error}") from error
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    match done.returncode:
        case 0:
            return []
        case 1 if lines and all(line.startswith(path) for line in lines):
            return [line.replace(": cannot load: ", ": ", 1) for line in lines]
        case 2 if lines:
            raise CliError(lines[-1], WRONG)
        case _:
            why = lines[-1] if lines else f"the checker ended with {done.returncode}"
            raise CliError(f"cannot check {path}: {why}")


def refuse(path: str, problems: list[str]) -> CliError:
    """The one line about a file with problems: the first of them, and how many more there are."""
    more = f" (and {len(problems) - 1} more: jsupervisor config check {path})"
    return CliError(f"cannot load {problems[0]}{more if len(problems) > 1 else ''}", WRONG)


def read_text(path: str) -> str:
    """The text of a file, or of stdin for "-"; raises CliError."""
    try:
        if path == "-":
            return sys.stdin.read()
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CliError(f"cannot read {path}: {why}", WRONG) from error


def user_name() -> str:
    """Who is at the command line, for the record of a commit."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


@click.group(cls=LazyGroup, epilog="Example: jsupervisor config load router.conf")
@group_name_option
def config() -> None:
    """Check, load and show the configuration."""


@config.command(epilog="Example: jsupervisor config check router.conf")
@click.argument("file", type=click.Path())
@click.option("--name", hidden=True, default="default", expose_value=False)
def check(file: str) -> None:
    """Say what is wrong with FILE. Needs no running instance."""
    problems = check_file(file)
    if not problems:
        print(f"{file}: configuration check succeeds")
        return
    for problem in problems:
        print(problem)
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    raise CliError(f"cannot accept {file}: {count}", WRONG)


@config.command(epilog="Example: jsupervisor config load router.conf")
@click.argument("file", type=click.Path(allow_dash=True))
@name_option
def load(file: str, name: str) -> None:
    """Replace the whole configuration by FILE ("-": stdin), or change nothing."""
    text = read_text(file)
    chosen = find_instance(name)
    from jsupervisor.cli.calls import load_configuration

    reply = load_configuration(chosen, text, user_name())
    if reply.problems:
        raise refuse(
            file,
            [
                f"{file}:{each.line}:{each.column}: {each.message}"
                if each.line
                else f"{file}: {each.message}"
                for each in reply.problems
            ],
        )
    print(f"commit complete, revision {reply.revision}")


@config.command("show", epilog="Example: jsupervisor config show --json")
@name_option
@json_option
def show_config(name: str, as_json: bool) -> None:
    """Print the configuration in force."""
    chosen = find_instance(name)
    from jsupervisor.cli.calls import get, show_configuration

    if as_json:
        print_json(get(chosen, "mgd", "configuration", "show the configuration"))
        return
    reply = show_configuration(chosen)
    print(reply.text, end="" if reply.text.endswith("\n") or not reply.text else "\n")
