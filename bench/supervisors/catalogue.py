"""Every system that can be measured, by the name that it has in the tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bench.supervisors.ours import (
    Module,
    ModuleSpare,
    Supervise,
    SuperviseBeating,
    SuperviseInit,
    SuperviseQuiet,
    SuperviseWatched,
)
from bench.supervisors.peers.daemontools import S6, Runit, RunitLeaf, S6Leaf, S6Plain
from bench.supervisors.peers.dinit import Dinit
from bench.supervisors.peers.erlang import Erlang, ErlangDefault
from bench.supervisors.peers.python import Circus, CircusFast, Supervisord
from bench.supervisors.peers.systemd import (
    Systemd,
    SystemdDefault,
    SystemdPatient,
    SystemdWatchdog,
)
from bench.supervisors.system import System

SYSTEMS: Final[Mapping[str, type[System]]] = {
    "ours": Supervise,
    "ours-watched": SuperviseWatched,
    "ours-quiet": SuperviseQuiet,
    "ours-init": SuperviseInit,
    "ours-beating": SuperviseBeating,
    "ours-module": Module,
    "ours-spare": ModuleSpare,
    "s6": S6,
    "s6-plain": S6Plain,
    "s6-leaf": S6Leaf,
    "dinit": Dinit,
    "runit": Runit,
    "runit-leaf": RunitLeaf,
    "erlang": Erlang,
    "erlang-default": ErlangDefault,
    "systemd": Systemd,
    "systemd-patient": SystemdPatient,
    "systemd-default": SystemdDefault,
    "systemd-watchdog": SystemdWatchdog,
    "supervisord": Supervisord,
    "circus": Circus,
    "circus-fast": CircusFast,
}
