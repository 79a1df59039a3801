"""Words for shell completion. It must be quick and silent: what cannot be found out is left out."""

from __future__ import annotations

import json

import click

from jsupervisor.paths import Instance, PathError, instance, instances


def instance_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Instances that exist, running or not."""
    return _matching([each.name for each in instances()], incomplete)


def module_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Modules of the instance that the command line names so far."""
    try:
        chosen = instance(str(ctx.params.get("name") or "default"))
    except PathError:
        return []
    return _matching([name for names in known_modules(chosen) for name in names], incomplete)


def victims(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """What a fault can hit: modules and the processes of supervision."""
    supervision = _matching(["jlaunchd", "launcher", "init"], incomplete)
    return [*module_names(ctx, param, incomplete), *supervision]


def profile_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Profiles that come with jsupervisor."""
    from jchassis import profile_names as names

    return _matching(names(), incomplete)


def policy_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Restart policies by name."""
    from jsupervisor.jlaunchd.policy import POLICIES

    return _matching(list(POLICIES), incomplete)


def known_modules(chosen: Instance) -> list[tuple[str, ...]]:
    """The names of each module of the instance's plan: unique, executable, CLI name."""
    from jsupervisor.runtime.names import daemon_name

    try:
        plan = json.loads((chosen.home / "plan.json").read_text(encoding="utf-8"))
        programs = plan.get("parts") or plan["programs"]
        pairs = [(str(each["name"]), str(each["executable"])) for each in programs]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [(name, executable, daemon_name(executable).cli_name) for name, executable in pairs]


def _matching(words: list[str], incomplete: str) -> list[str]:
    return [word for word in dict.fromkeys(words) if word.startswith(incomplete)]
