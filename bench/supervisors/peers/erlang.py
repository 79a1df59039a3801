"""Erlang/OTP: its own supervisor behaviour, one gen_server for each program, which owns a port.

The end of the top supervisor ends the node, as it does for an application that is permanent.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from bench.supervisors.system import System, debian_version, find, write

MODULE: Final = """\
-module(bench).
-behaviour(supervisor).
-behaviour(gen_server).
-export([start/0, init/1, start_program/1, handle_call/3, handle_cast/2, handle_info/2]).

start() ->
    spawn(fun() ->
        process_flag(trap_exit, true),
        {ok, _} = supervisor:start_link({local, bench}, ?MODULE, supervisor),
        receive {'EXIT', _, _} -> halt(1) end
    end).

init(supervisor) ->
    {ok, Programs} = file:consult("programs"),
    Children = [#{id => Name, start => {?MODULE, start_program, [Program]}, restart => permanent}
                || {Name, _} = Program <- Programs],
    {ok, {#{strategy => one_for_one, intensity => @INTENSITY@, period => @PERIOD@}, Children}};
init({_Name, [Path | Arguments]}) ->
    Port = open_port({spawn_executable, Path}, [{args, Arguments}, exit_status]),
    {ok, Port}.

start_program(Program) ->
    gen_server:start_link(?MODULE, Program, []).

handle_call(_, _, Port) -> {reply, ok, Port}.
handle_cast(_, Port) -> {noreply, Port}.
handle_info({Port, {exit_status, Status}}, Port) -> {stop, {exited, Status}, Port};
handle_info(_, Port) -> {noreply, Port}.
"""


class Erlang(System):
    """one_for_one over port programs, never giving up."""

    policy: ClassVar[str] = "one_for_one, intensity 100000 in 1 s (default is 1 in 5 s)"
    intensity: ClassVar[tuple[int, int]] = (100000, 1)

    @classmethod
    def version(cls) -> str:
        """As Debian has it."""
        find("erlc", "erlang-base")
        return f"OTP {debian_version('erlang-base')}"

    def configure(self) -> None:
        """The supervisor's module, compiled, and the programs as terms."""
        intensity, period = self.intensity
        text = MODULE.replace("@INTENSITY@", str(intensity)).replace("@PERIOD@", str(period))
        write(self.site.folder / "bench.erl", text)
        terms = (f"{{{work.name}, [{_strings(work.command)}]}}.\n" for work in self.site.works)
        write(self.site.folder / "programs", "".join(terms))
        subprocess.run(
            [find("erlc", "erlang-base"), "bench.erl"],
            cwd=self.site.folder,
            check=True,
            capture_output=True,
        )

    def command(self) -> Sequence[str]:
        """A node without a name, so that no port mapper is started."""
        return (find("erl", "erlang-base"), "-noinput", "-s", "bench", "start")

    def environment(self) -> Mapping[str, str]:
        """Neither a home nor crash dumps elsewhere."""
        return {"HOME": str(self.site.folder), "ERL_CRASH_DUMP": "/dev/null"}


class ErlangDefault(Erlang):
    """The same with OTP's own intensity."""

    policy: ClassVar[str] = "one_for_one, default intensity 1 in 5 s"
    intensity: ClassVar[tuple[int, int]] = (1, 5)


def _strings(words: Sequence[str]) -> str:
    return ", ".join('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in words)
