"""What this machine offers."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from jsupervisor.cli import probes
from jsupervisor.cli.probes import Check, all_checks, buffers, folder, kernel, memory, root
from jsupervisor.paths import Instance


@pytest.mark.parametrize(
    ("release", "ok"),
    [("5.4.0-1", True), ("6.18.44-fc", True), ("5.3.18", False), ("4.19", False), ("odd", False)],
)
def test_a_kernel_before_5_4_is_too_old(release: str, ok: bool) -> None:
    assert (ok, True) == (kernel(release).ok, kernel(release).essential)


def test_not_to_be_root_disables_ports_only() -> None:
    assert (True, False) == (root(0).ok, root(1000).ok)
    assert not root(1000).essential
    assert "no, uid 1000" == root(1000).value


@pytest.mark.parametrize(("available", "ok"), [(511 << 20, False), (512 << 20, True)])
def test_little_memory_is_a_lack(available: int, ok: bool) -> None:
    assert ok == memory({"MemAvailable": available, "MemTotal": 1 << 30}).ok
    assert not memory({}).ok


def test_the_smaller_buffer_counts() -> None:
    assert (True, False) == (buffers(1 << 20, 1 << 20).ok, buffers(1 << 22, 212992).ok)


def test_a_folder_that_is_not_there_is_judged_by_the_one_it_would_be_made_in(
    tmp_path: Path,
) -> None:
    assert folder("home", tmp_path / "a" / "b").ok


def test_a_folder_that_cannot_be_written_is_a_lack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    check = folder("home", tmp_path)

    assert not check.ok
    assert f"{tmp_path} ({tmp_path} is not writable)" == check.value


def test_a_full_disk_and_a_long_path_are_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "too long for a socket's path" in folder("sockets", tmp_path, path_bytes=80).value
    monkeypatch.setattr(probes, "LEAST_DISK", 1 << 62)
    assert not folder("home", tmp_path).ok


def test_a_probe_that_cannot_be_made_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(os, "pidfd_open", refuse)
    monkeypatch.delattr(os, "memfd_create")
    checks = {check.name: check for check in all_checks(Instance("x", Path("/"), Path("/")))}

    assert (False, "Function not implemented") == (checks["pidfd"].ok, checks["pidfd"].value)
    assert not checks["memfd"].ok


def test_all_checks_leave_no_child_and_no_descriptor(tmp_path: Path) -> None:
    before = os.listdir("/proc/self/fd")
    checks = all_checks(Instance("x", tmp_path, tmp_path))

    assert before == os.listdir("/proc/self/fd")
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
    assert [
        *("kernel", "/proc", "pidfd", "memfd", "SEQPACKET", "home", "sockets"),
        *("root", "user namespaces", "/dev/net/tun", "memory", "socket buffers"),
    ] == [check.name for check in checks]


def test_what_is_there_disables_nothing() -> None:
    check = Check(name="x", ok=True, value="v", disables="d")

    assert (True, None) == (check.to_json()["ok"], check.to_json()["disables"])


@pytest.mark.skipif(not Path("/usr/bin/unshare").exists(), reason="needs unshare(1)")
def test_user_namespaces_are_judged_as_unshare_does() -> None:
    expected = subprocess.run(["/usr/bin/unshare", "-Urn", "true"], check=False).returncode == 0
    check = next(
        check
        for check in all_checks(Instance("x", Path("/"), Path("/")))
        if check.name == "user namespaces"
    )

    assert expected == check.ok
