"""`jsupervisor stop` and `clean`: an orderly end, and the removal of what a disorderly one left."""

from __future__ import annotations

import os
import shutil
import time
from typing import Final

import click

from jsupervisor.cli.common import find_instance, name_option, sweep_if_dead
from jsupervisor.cli.complete import instance_names
from jsupervisor.cli.errors import FAILED, WRONG, CliError, refused
from jsupervisor.paths import Instance, PathError, instance, instances

STOP_SECONDS: Final = 45.0
"""Longer than init gives jlaunchd and the modules together."""
LOOK_SECONDS: Final = 0.01


def stop_instance(chosen: Instance) -> None:
    """Have it stop in order, and wait until nothing of it is left; raises CliError."""
    from jsupervisor.initproto import Connection

    try:
        connection = Connection.open(str(chosen.init_socket), STOP_SECONDS)
    except OSError as error:
        raise CliError(f"cannot stop instance {chosen.name}: it is not running") from error
    try:
        connection.send({"op": "stop"})
        # init says nothing more: its end closes the connection.
        while connection.receive() is not None:
            pass
    except (ConnectionError, BrokenPipeError):
        pass
    except TimeoutError as error:
        raise CliError(
            f"cannot stop instance {chosen.name}: init did not end within {STOP_SECONDS:g} s"
        ) from error
    finally:
        connection.close()
    _await_release(chosen)


def _await_release(chosen: Instance) -> None:
    """The lock is free when init's process is gone; a moment after it closed the connection."""
    deadline = time.monotonic() + STOP_SECONDS
    while chosen.alive():
        if time.monotonic() > deadline:
            raise CliError(f"cannot see the end of instance {chosen.name}: its lock is still held")
        time.sleep(LOOK_SECONDS)
    sweep_if_dead(chosen)


@click.command(epilog="Example: jsupervisor stop --all", short_help="Stop an instance in order.")
@name_option
@click.option("--all", "everyone", is_flag=True, help="Stop every running instance.")
def stop(name: str, everyone: bool) -> None:
    """Stop an instance: its modules in order, then jlaunchd, the launcher and init."""
    if not everyone:
        chosen = find_instance(name)
        stop_instance(chosen)
        print(f"{chosen.name} stopped")
        return
    running = [each for each in instances() if each.alive()]
    failures = []
    for each in running:
        try:
            stop_instance(each)
            print(f"{each.name} stopped")
        except CliError as error:
            failures.append(error.message)
    for each in instances():
        sweep_if_dead(each)
    if failures:
        raise CliError("; ".join(failures))
    if not running:
        print("no instance is running")


@click.command(
    epilog="Example: jsupervisor clean --purge",
    short_help="Remove what dead instances left behind.",
)
@click.option(
    "--name", default=None, metavar="NAME", shell_complete=instance_names,
    help="Only this instance; all dead ones without it.",
)  # fmt: skip
@click.option("--purge", is_flag=True, help="Remove logs, configuration and journal as well.")
def clean(name: str | None, purge: bool) -> None:
    """Remove what dead instances left behind. Running instances are not touched.

    An instance is dead when nobody holds its lock, which init does for life. Sockets go; logs, journal
    and configuration stay unless --purge is given.
    """
    with refused(WRONG, PathError):
        chosen = instances() if name is None else [instance(name)]
    if name is not None and not chosen[0].home.is_dir():
        raise CliError(f"cannot clean instance {name}: there is none")
    removed = [line for each in chosen for line in _clean(each, purge, explicit=name is not None)]
    _remove_empty_root(chosen)
    print("\n".join(removed) or "nothing to clean")


def _clean(chosen: Instance, purge: bool, *, explicit: bool) -> list[str]:
    with refused(FAILED, PathError):
        lock = chosen.lock()
    if lock is None:
        if explicit:
            raise CliError(
                f"cannot clean instance {chosen.name}: it is running"
                f" (jsupervisor stop --name {chosen.name})"
            )
        return []
    try:
        removed = [f"{chosen.name}: removed {chosen.run_dir}"] if chosen.sweep() else []
        if purge:
            shutil.rmtree(chosen.home)
            removed.append(f"{chosen.name}: removed {chosen.home}")
        return removed
    finally:
        os.close(lock)


def _remove_empty_root(chosen: list[Instance]) -> None:
    """The folder that holds all run folders goes with the last of them."""
    for root in {each.run_dir.parent for each in chosen}:
        try:
            root.rmdir()
        except OSError:
            pass  # others live in it, or it is not there
