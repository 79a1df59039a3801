"""A process forked ahead: used once, by whoever it was made for, and only when it can be."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import json, os, select, signal, sys, time
from jsupervisor import linux
from jsupervisor.launcher.blank import Blank

folder = sys.argv[1]
linux.become_subreaper()  # this process plays init and launcher
inherited = os.open("/dev/null", os.O_RDONLY)

def become(order):
    with open(os.path.join(folder, order["name"]), "w") as file:
        fds = sorted(int(fd) for fd in os.listdir("/proc/self/fd"))
        json.dump({"order": order, "fds": fds, "parent": os.getppid()}, file)
    return 7

def ready(blank):
    select.select([blank._socket], [], [], 10)
    return blank

def child():
    return [pid for pid in linux.own_children() if linux.process_stat(pid).name == "jlauncher-blank"][0]

def settled(pid, state):
    while linux.process_stat(pid).state != state:
        time.sleep(0.001)

blank = Blank(os.getpid(), become, lambda: None)
{body}
"""

USED = """
before = blank.due is not None
blank.make()
none_due = blank.due is None
ready(blank)
pid = child()
settled(pid, "S")
given = blank.give({"name": "rpd"})
again = blank.give({"name": "dcd"})
while True:
    done, status = os.wait()
    if done == pid:
        break
with open(os.path.join(folder, "rpd")) as file:
    seen = json.load(file)
print(json.dumps({
    "before": before, "none_due": none_due, "given": given, "again": again, "due": blank.due is not None,
    "code": os.waitstatus_to_exitcode(status), "name": seen["order"]["name"],
    "stamped": list(seen["order"]["phases"]), "parent": seen["parent"] == os.getpid(),
    "clean": not os.path.exists(os.path.join(folder, "dcd")) and seen["fds"] == [0, 1, 2, 3, 4],
}))
"""

STRUCK = """
blank.make()
ready(blank)
pid = child()
settled(pid, "S")
os.kill(pid, signal.{number})
settled(pid, "{state}")
given = blank.give({{"name": "rpd"}})
os.kill(pid, signal.SIGCONT)
while os.wait()[0] != pid:
    pass
print(json.dumps({{"given": given, "run": os.path.exists(os.path.join(folder, "rpd"))}}))
"""

EARLY = """
blank._warm = lambda: time.sleep(0.2)
blank.make()
given = blank.give({"name": "rpd"})
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
print(json.dumps({"given": given, "run": os.path.exists(os.path.join(folder, "rpd"))}))
"""


def run(body: str, folder: Path) -> object:
    script = SCRIPT.replace("{body}", body)
    command = [sys.executable, "-c", script, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)

    assert "" == done.stderr
    return json.loads(done.stdout)


@pytest.mark.system
def test_a_blank_carries_out_one_order_as_a_newborn_of_inits(tmp_path: Path) -> None:
    assert run(USED, tmp_path) == {
        "before": True,
        "none_due": True,
        "given": True,
        "again": False,
        "due": True,
        "code": 7,
        "name": "rpd",
        "stamped": ["forked"],
        "parent": True,
        "clean": True,
    }


@pytest.mark.system
@pytest.mark.parametrize(("number", "state"), [("SIGSTOP", "T"), ("SIGKILL", "Z")])
def test_a_blank_that_is_stopped_or_dead_is_not_used(
    tmp_path: Path, number: str, state: str
) -> None:
    result = run(STRUCK.format(number=number, state=state), tmp_path)

    assert {"given": False, "run": False} == result


@pytest.mark.system
def test_a_blank_that_is_not_ready_yet_is_not_used_and_ends(tmp_path: Path) -> None:
    assert {"given": False, "run": False} == run(EARLY, tmp_path)
