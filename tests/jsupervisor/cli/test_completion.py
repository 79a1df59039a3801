"""`jsupervisor completion`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.jsupervisor.cli.conftest import Cli


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_is_printed_for_each_shell(cli: Cli, shell: str) -> None:
    result = cli("completion", shell)

    assert 0 == result.code
    assert f"_JSUPERVISOR_COMPLETE={shell}_complete" in result.out


def test_another_shell_is_wrong_usage(cli: Cli) -> None:
    result = cli("completion", "csh")

    assert 2 == result.code
    assert "'csh' is not one of 'bash', 'zsh', 'fish'" in result.err
