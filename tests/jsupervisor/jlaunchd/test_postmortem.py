"""What is kept of an end: which ends, what of them, how many, and that nothing is lost or kept twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from jsupervisor.initproto import Json, Message
from jsupervisor.jlaunchd.postmortem import (
    LINES,
    Death,
    Postmortem,
    kernel_core,
    life_of,
    tail_lines,
    tail_records,
)
from jsupervisor.runtime import rotate
from jsupervisor.runtime.clock import Clock
from jsupervisor.runtime.cores import Core, cores, read_core
from jsupervisor.runtime.crash import open_trace

MS = 1_000_000
END = 5_000 * MS
NOTICE: Message = {
    "op": "exit",
    "id": 12,
    "name": "rpd",
    "incarnation": 3,
    "pid": 4711,
    "cause": "signal:SIGSEGV",
    "monotonic_ns": END,
    "ordered": "",
    "usage": {"utime": 0.25, "stime": 0.5, "maxrss_kb": 2048},
    "dumped": False,
}


class Stopped(Clock):
    """Ten seconds after a boot in 2023."""

    def monotonic_ns(self) -> int:
        """Five seconds after END."""
        return 10_000 * MS


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An instance's home."""
    for name in ("crash", "log"):
        (tmp_path / name).mkdir()
    return tmp_path


def death(keep: int = 5, **changes: Json) -> Death:
    """An end of rpd."""
    return Death.of_notice({**NOTICE, **changes}, "rpd", keep)


def record(event: str, incarnation: int = 3, ms: int = 0, **more: Json) -> Message:
    """An event record of rpd."""
    at: Message = {"monotonic_ns": ms * MS, "time": f"at {ms} ms"}
    return {"name": "rpd", "event": event, "incarnation": incarnation, **at, **more}


def journal(home: Path, *records: Message) -> None:
    """Write the history."""
    text = "".join(json.dumps(each) + "\n" for each in records)
    (home / "journal.jsonl").write_text(text)


def kept(home: Path, *deaths: Death) -> list[Core]:
    """The cores that these ends leave."""
    return [read_core(path) for path in Postmortem(home, Stopped()).examine(deaths)]


@pytest.mark.parametrize(
    ("cause", "ordered", "failure"),
    [
        ("signal:SIGSEGV", "", True),
        ("exit:1", "", True),
        ("signal:SIGKILL", "fault", True),
        ("signal:SIGABRT", "hang", True),
        ("signal:SIGKILL", "start-timeout", True),
        ("signal:SIGABRT", "requested:abort", True),
        ("exit:0", "", False),
        ("exit:0", "requested:stop", False),
        ("signal:SIGTERM", "requested:gracefully", False),
        ("signal:SIGKILL", "requested:immediately", False),
        ("exit:1", "requested:stop", False),
    ],
)
def test_failures_leave_a_core_and_ends_in_order_do_not(
    home: Path, cause: str, ordered: str, failure: bool
) -> None:
    assert failure is bool(kept(home, death(cause=cause, ordered=ordered)))


def test_a_core_has_all_that_init_knows(home: Path) -> None:
    (core,) = kept(home, death())

    assert ("rpd", "rpd", 3, 4711) == (core.module, core.executable, core.incarnation, core.pid)
    assert ("signal:SIGSEGV", "signal:SIGSEGV", "") == (core.cause, core.ended, core.ordered)
    assert (0.25, 0.5, 2048) == (core.utime, core.stime, core.maxrss_kb)
    assert END == core.monotonic_ns
    assert "" == core.kernel_core


def test_a_core_has_the_life_the_policys_decision_and_the_downtime_from_the_journal(
    home: Path,
) -> None:
    journal(
        home,
        record("start", ms=1000),
        record("ready", ms=1100),
        {**record("start", ms=1200), "name": "dcd"},
        record("exit", ms=5000, cause="signal:SIGSEGV", attempt=2, next="restart in 50 ms"),
        record("start", 4, ms=5050),
        record("ready", 4, ms=5100),
    )
    (core,) = kept(home, death())

    assert ("at 1000 ms", "at 1100 ms", 4000.0) == (core.started, core.ready, core.lived_ms)
    assert (2, "restart in 50 ms") == (core.attempt, core.next)
    assert (100.0, True) == (core.downtime_ms, core.recovered)
    assert ["start", "ready", "exit", "start", "ready"] == [str(e["event"]) for e in core.events]


def test_without_a_successor_the_downtime_is_what_has_passed(home: Path) -> None:
    journal(home, record("start", ms=1000))
    (core,) = kept(home, death())

    assert (5000.0, False) == (core.downtime_ms, core.recovered)


def test_a_hang_is_the_cause_and_the_signal_only_how_it_ended(home: Path) -> None:
    journal(home, record("start"), record("exit", cause="hang", attempt=1))
    hung = death(cause="signal:SIGABRT", ordered="hang")

    assert [("hang", "signal:SIGABRT")] == [(c.cause, c.ended) for c in kept(home, hung)]


def test_a_hang_is_the_cause_also_when_the_journal_does_not_say_so(home: Path) -> None:
    assert ["start-timeout"] == [c.cause for c in kept(home, death(ordered="start-timeout"))]


def test_an_earlier_boots_incarnation_of_the_same_number_is_another() -> None:
    life = life_of(
        death(),
        [
            record("start", ms=90_000),
            record("ready", ms=90_100),
            record("exit", ms=95_000),
            record("ready", 4, ms=95_100),
            record("start", ms=1000),
        ],
    )

    assert ("at 1000 ms", {}, {}, 0) == (
        life.start["time"], life.ready, life.end, life.successor_ns
    )  # fmt: skip


def test_a_core_has_the_trace_and_the_trace_goes(home: Path) -> None:
    fd = open_trace(str(home), "rpd", 3)
    os.write(fd, b"Fatal Python error: \xff")
    os.close(fd)
    (core,) = kept(home, death())

    assert "Fatal Python error: \ufffd" == core.trace
    assert ["rpd.core.0"] == [path.name for path in (home / "crash").iterdir()]


def test_traces_of_the_module_up_to_this_one_go_and_no_others(home: Path) -> None:
    for name, incarnation in (("rpd", 1), ("rpd", 3), ("rpd", 4), ("rpd.x", 3), ("pfe0", 1)):
        os.close(open_trace(str(home), name, incarnation))
    Postmortem(home, Stopped()).examine([death(cause="exit:0")])

    assert [".pfe0.1.trace", ".rpd.4.trace", ".rpd.x.3.trace"] == sorted(os.listdir(home / "crash"))


def test_a_core_has_the_last_lines_of_stderr_and_of_the_log(home: Path) -> None:
    (home / "log" / "rpd.stderr").write_text("".join(f"line {n}\n" for n in range(100)))
    (home / "log" / "messages").write_text(
        "Nov 23 08:55:43  r1 rpd[4711]: RPD_TAG: mine\n"
        "Nov 23 08:55:43  r1 dcd[4712]: DCD_TAG: about rpd[4711]\n"
        "Nov 23 08:55:44  r1 rpd[4700]: RPD_TAG: my predecessor's\n"
    )
    (core,) = kept(home, death())

    assert LINES == len(core.stderr)
    assert "line 99" == core.stderr[-1]
    assert ["mine", "my predecessor's"] == [line.split(": ")[-1] for line in core.log]


def test_cores_are_numbered_up_to_the_limit_and_then_the_oldest_goes(home: Path) -> None:
    written = []
    for incarnation in range(1, 9):
        paths = Postmortem(home, Stopped()).examine([death(keep=3, incarnation=incarnation)])
        written += [path.name for path in paths]
        os.utime(paths[0], (incarnation, incarnation))

    assert [f"rpd.core.{n}" for n in (0, 1, 2, 0, 1, 2, 0, 1)] == written
    found = {read_core(path).incarnation for _, _, path in cores(home / "crash", "rpd")}
    assert {6, 7, 8} == found


def test_a_limit_that_was_lowered_holds_from_the_next_core_on(home: Path) -> None:
    for incarnation in range(1, 6):
        (path,) = Postmortem(home, Stopped()).examine([death(incarnation=incarnation)])
        os.utime(path, (incarnation, incarnation))
    kept(home, death(keep=2, incarnation=6))

    found = {read_core(path).incarnation for _, _, path in cores(home / "crash", "rpd")}
    assert {5, 6} == found


def test_a_module_may_keep_none(home: Path) -> None:
    os.close(open_trace(str(home), "rpd", 3))

    assert [] == kept(home, death(keep=0))
    assert [] == os.listdir(home / "crash")


def test_every_module_has_a_limit_of_its_own(home: Path) -> None:
    kept(home, *(death(keep=1, name=name) for name in ("rpd", "dcd", "pfe0")))

    assert ["dcd.core.0", "pfe0.core.0", "rpd.core.0"] == sorted(os.listdir(home / "crash"))


def test_an_end_that_init_tells_of_again_leaves_no_second_core(home: Path) -> None:
    postmortem = Postmortem(home, Stopped())

    assert [1, 0, 1] == [
        len(postmortem.examine([each]))
        for each in (death(), death(), death(incarnation=4, pid=4800))
    ]


def test_a_core_that_cannot_be_read_is_none_of_ours(home: Path) -> None:
    (home / "crash" / "rpd.core.0").write_text("?")

    assert 1 == len(kept(home, death()))


def test_an_end_of_jlaunchd_leaves_a_core_too(home: Path) -> None:
    end = {**record("exit", 2, 5000, cause="signal:SIGKILL"), "name": "jlaunchd"}
    journal(home, end)
    (core,) = kept(home, Death.of_record(end))

    assert ("jlaunchd", 2, 0, "signal:SIGKILL") == (
        core.module, core.incarnation, core.pid, core.cause
    )  # fmt: skip
    assert (None, None) == (core.utime, core.maxrss_kb)


def test_without_a_folder_nothing_is_kept_and_the_reason_is_told(tmp_path: Path) -> None:
    postmortem = Postmortem(tmp_path, Stopped())

    assert [] == postmortem.examine([death(), replace(death(), name="dcd")])
    assert "cannot keep a core of dcd: No such file or directory" == postmortem.error


FULL = """
import resource, signal, sys
from pathlib import Path
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))
from jsupervisor.jlaunchd.postmortem import Death, Postmortem
from jsupervisor.runtime.clock import Clock
postmortem = Postmortem(Path(sys.argv[1]), Clock())
end = Death(name="rpd", executable="rpd", incarnation=1, pid=2, ended="exit:1", ordered="",
            monotonic_ns=1, usage={})
print(postmortem.examine([end]), postmortem.error)
"""


def test_a_core_that_does_not_fit_leaves_nothing_and_is_told(home: Path) -> None:
    argv = [sys.executable, "-c", FULL, str(home)]
    result = subprocess.run(argv, capture_output=True, text=True, check=True)

    assert "[] cannot keep a core of rpd: File too large\n" == result.stdout
    assert [] == os.listdir(home / "crash")


@pytest.mark.root
def test_a_full_disk_leaves_the_older_cores_as_they_were(home: Path) -> None:
    if os.getuid():
        pytest.skip("needs root: mounts a small file system")
    command = ["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "none", str(home / "crash")]
    if subprocess.run(command, check=False).returncode:
        pytest.skip("needs root: cannot mount a small file system")
    try:
        postmortem = Postmortem(home, Stopped())
        postmortem.examine([death(incarnation=1)])
        (home / "crash" / "filler").write_bytes(bytes(56 * 1024))
        (home / "log" / "rpd.stderr").write_text(("x" * 1000 + "\n") * 20)
        written = postmortem.examine([death(incarnation=2)])

        assert [] == written
        assert "cannot keep a core of rpd: No space left on device" == postmortem.error
        assert ["filler", "rpd.core.0"] == sorted(os.listdir(home / "crash"))
        assert 1 == read_core(home / "crash" / "rpd.core.0").incarnation
        (home / "crash" / "filler").unlink()
        assert 1 == len(postmortem.examine([death(incarnation=3)]))
        assert "" == postmortem.error
    finally:
        subprocess.run(["umount", str(home / "crash")], check=True)


def test_long_logs_are_read_from_their_end(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("".join(f"line {n}\n" for n in range(100)))

    assert ["line 98", "line 99"] == tail_lines(tmp_path / "log", 20)
    assert [] == tail_lines(tmp_path / "nowhere")


def test_lines_that_are_no_record_are_passed_over(tmp_path: Path) -> None:
    rotate.plain(tmp_path / "j").write_text(json.dumps(record("start")) + "\n")
    (tmp_path / "j").write_text('{"torn\n[]\n{}\n' + json.dumps(record("exit")) + "\n")

    assert ["start", "exit"] == [r["event"] for r in tail_records(tmp_path / "j")]


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("|/usr/lib/systemd/systemd-coredump %P %u", "given to /usr/lib/systemd/systemd-coredump"),
        ("/nowhere/%e.%p", "by the kernel's core_pattern: /nowhere/%e.%p"),
        ("/nowhere/core.%t", "by the kernel's core_pattern: /nowhere/core.%t"),
    ],
)
def test_what_the_kernel_kept_is_only_pointed_to(tmp_path: Path, pattern: str, words: str) -> None:
    (tmp_path / "core_pattern").write_text(pattern + "\n")

    assert kernel_core(death(), tmp_path / "core_pattern").startswith(words)


def test_a_log_whose_beginning_was_punched_out_is_read_from_what_is_left(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        file.seek(100_000)
        file.write(b"left\n")

    assert ["left"] == tail_lines(tmp_path / "log")


def test_an_image_of_the_kernels_that_can_be_found_is_named(tmp_path: Path) -> None:
    (tmp_path / "rpd.4711").touch()
    (tmp_path / "core_pattern").write_text(f"{tmp_path}/%e.%p\n")

    assert f"{tmp_path}/rpd.4711" == kernel_core(death(), tmp_path / "core_pattern")
    assert "where the kernel's core_pattern says" == kernel_core(death(), tmp_path / "nowhere")


def test_an_image_of_the_kernels_is_mentioned(home: Path) -> None:
    assert all(core.kernel_core for core in kept(home, death(dumped=True)))
