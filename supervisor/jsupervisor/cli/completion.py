"""`jsupervisor completion`: the script that makes a shell complete our words."""

from __future__ import annotations

import click


@click.command(epilog='Example: eval "$(jsupervisor completion bash)"')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.option("--name", hidden=True, default="default", expose_value=False)
def completion(shell: str) -> None:
    """Print the completion script of SHELL.

    Put `eval "$(jsupervisor completion bash)"` into ~/.bashrc, the same with zsh into ~/.zshrc, or
    `jsupervisor completion fish | source` into ~/.config/fish/config.fish.
    """
    from click.shell_completion import get_completion_class

    from jsupervisor.cli.main import COMPLETE_VARIABLE, PROGRAM, cli

    found = get_completion_class(shell)
    assert found is not None  # the choice lists click's own
    print(found(cli, {}, PROGRAM, COMPLETE_VARIABLE).source())
