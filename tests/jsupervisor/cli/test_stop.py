"""`jsupervisor stop` and `clean`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jsupervisor.paths import instance

if TYPE_CHECKING:
    from tests.jsupervisor.cli.conftest import Cli, MakeInit


def test_a_stop_waits_until_init_is_gone_and_leaves_nothing(cli: Cli, make_init: MakeInit) -> None:
    init = make_init()
    result = cli("stop")

    assert (0, "default stopped\n") == (result.code, result.out)
    assert ["stop"] == init.asked
    assert not init.instance.run_dir.exists()
    assert not init.instance.alive()


def test_an_instance_that_does_not_run_cannot_be_stopped(cli: Cli) -> None:
    result = cli("stop", "--name", "r1")

    assert 1 == result.code
    assert "jsupervisor: cannot stop instance r1: it is not running\n" == result.err


def test_all_running_instances_are_stopped_and_the_dead_ones_swept(
    cli: Cli, make_init: MakeInit
) -> None:
    make_init(name="a"), make_init(name="b")
    dead = make_init(name="c")
    dead.die()
    result = cli("stop", "--all")

    assert (0, "a stopped\nb stopped\n") == (result.code, result.out)
    assert [False] * 3 == [instance(name).run_dir.exists() for name in "abc"]
    assert "no instance is running\n" == cli("stop", "--all").out


def test_clean_removes_the_sockets_of_the_dead_and_keeps_their_logs(
    cli: Cli, make_init: MakeInit
) -> None:
    living, dead = make_init(name="living"), make_init(name="dead")
    dead.die()
    result = cli("clean")

    assert (0, f"dead: removed {dead.instance.run_dir}\n") == (result.code, result.out)
    assert living.instance.init_socket.exists()
    assert dead.instance.log_dir.is_dir()
    assert "nothing to clean\n" == cli("clean").out


def test_clean_with_purge_removes_all_of_the_dead(cli: Cli, make_init: MakeInit) -> None:
    dead = make_init(name="dead")
    dead.die()
    result = cli("clean", "--purge", "--name", "dead")

    assert 0 == result.code
    assert not dead.instance.home.exists()
    assert not dead.instance.run_dir.parent.exists()


def test_a_running_instance_is_not_cleaned(cli: Cli, make_init: MakeInit) -> None:
    make_init()
    result = cli("clean", "--name", "default")

    assert 1 == result.code
    assert result.err.startswith("jsupervisor: cannot clean instance default: it is running")


def test_an_instance_that_never_was_is_not_cleaned(cli: Cli) -> None:
    assert 1 == cli("clean", "--name", "nobody").code
    assert 2 == cli("clean", "--name", "../x").code
