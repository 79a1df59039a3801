"""How the command fails: one line on stderr, `jsupervisor: cannot ...`, and the exit code.

0 done, 1 the thing asked for failed, 2 wrong usage or input. Never a traceback: an operator can do
nothing with one. $JSUPERVISOR_DEBUG brings it back for whoever writes the program.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Final

import click

FAILED: Final = 1
WRONG: Final = 2
DEBUG: Final = "JSUPERVISOR_DEBUG"


class CliError(click.ClickException):
    """The command cannot do what was asked; the text begins with "cannot"."""

    def __init__(self, text: str, code: int = FAILED) -> None:
        super().__init__(one_line(text))
        self.code = code
        # Click reads it when a command is run without our `guarded`; its stubs call it a class's own.
        vars(self)["exit_code"] = code

    def show(self, file: IO[str] | None = None) -> None:
        """Print the line."""
        print(f"jsupervisor: {self.message}", file=file or sys.stderr)


def one_line(text: str) -> str:
    """The text without line ends and other runs of white space."""
    return " ".join(text.split())


@contextmanager
def refused(code: int, *errors: type[Exception]) -> Iterator[None]:
    """Turn errors whose text is already a user's line into the command's failure with `code`."""
    try:
        yield
    except errors as error:
        raise CliError(str(error), code) from error


def guarded(run: Callable[[], int]) -> int:
    """Run a command to its exit code; whatever it raises becomes one line."""
    try:
        code = run()
        sys.stdout.flush()
        return code
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.format_message())
        return WRONG
    except click.UsageError as error:
        return _say(usage_line(error), WRONG)
    except CliError as error:
        return _say(error.message, error.code)
    except click.ClickException as error:
        return _say(f"cannot go on: {error.format_message()}", FAILED)
    except (KeyboardInterrupt, click.Abort):
        return _say("cannot finish: interrupted", FAILED)
    except BrokenPipeError:
        return _without_reader()
    except OSError as error:
        return _say(_system_line(error), FAILED)
    except Exception as error:  # the last line of defence: a defect is no reason for a traceback
        if os.environ.get(DEBUG):
            raise
        return _say(_defect_line(error), FAILED)


def usage_line(error: click.UsageError) -> str:
    """Click's complaint as one line that names the command and where its help is."""
    text = one_line(error.format_message()).rstrip(".")
    command = error.ctx.command_path if error.ctx is not None else "jsupervisor"
    if text.startswith("cannot "):
        return text
    return f"cannot run '{command}': {text[:1].lower()}{text[1:]} (see: {command} --help)"


def _system_line(error: OSError) -> str:
    where = f" {error.filename}" if error.filename else ""
    return f"cannot go on:{where}: {error.strerror or error}".replace("on::", "on:")


def _defect_line(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = ""
    if trace is not None:
        place = f" at {os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"
    return (
        f"cannot go on: a defect, {type(error).__name__}: {error}{place}"
        f" (set {DEBUG}=1 for the traceback)"
    )


def _say(text: str, code: int) -> int:
    _abandon_stdout()
    try:
        print(f"jsupervisor: {one_line(text)}", file=sys.stderr, flush=True)
    except OSError:
        pass  # nobody is there to read it
    return code


def _without_reader() -> int:
    """Whoever read our output has gone, as `head` does: nothing to say, and nobody to say it to."""
    _abandon_stdout()
    return FAILED


def _abandon_stdout() -> None:
    """What cannot be written must not fail once more when the interpreter flushes it at the end."""
    try:
        sys.stdout.flush()
    except OSError:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
