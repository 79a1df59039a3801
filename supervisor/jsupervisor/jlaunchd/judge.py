"""What follows from one failure: who restarts, after how long, who is held, and who decided it.

The policy that judges a program is its own or its group's. A group counts the failures of all its
members. Beyond its intensity it may pass the matter on (`escalate`): then the group above judges,
for which the whole group has failed once, and the group itself begins with a clean slate, as in OTP.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from jsupervisor.jlaunchd.groups import Group, Tree
from jsupervisor.jlaunchd.module import Module
from jsupervisor.jlaunchd.policy import REMEMBERED, Backoff, RestartPolicy, judge

ESCALATIONS: Final = 20
"""Escalations remembered for each group; a higher intensity of theirs counts no further."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What follows from a failure."""

    delay: float | None
    """Seconds until the restart; None: they are held down."""
    attempt: int
    """Failures that count, with this one, for whoever decided."""
    together: tuple[str, ...]
    """The programs that go down with the one that failed, it included, in start order."""
    scope: str = ""
    """The group whose members restart together; empty when one restarts alone."""
    escalated: tuple[str, ...] = ()
    """Who passed it on, in order."""
    failover: str = ""
    """How to fail over, if that is the rule."""


class Judge:
    """Knows the groups and, through the modules, what has failed when."""

    def __init__(
        self, tree: Tree, modules: Mapping[str, Module], draw: Callable[[], float]
    ) -> None:
        self.tree = tree
        self._modules = modules
        self._draw = draw

    def decide(self, module: Module, at: float) -> Decision:
        """Note the failure of `module` at `at` (seconds), and decide."""
        policy = module.program.policy
        healthy = module.up_since is not None and at - module.up_since >= policy.backoff.reset
        module.streak = 1 if healthy else module.streak + 1
        module.up_since = None
        kept = [time for time in module.failures if at - time < policy.period]
        module.failures = (*kept, at)[-REMEMBERED:]
        escalated: list[str] = []
        levels = list(self.tree.ancestors(module.name))
        if module.program.judged_alone or not levels:
            verdict = self._verdict(policy, module.failures, at, module.streak)
            if verdict is not None:
                return self._restart(module.name, verdict, len(module.failures), ())
            above = levels[0][1] if levels else None
            if policy.on_thrash != "escalate" or above is None:
                return self._hold(module.name, policy, len(module.failures), ())
            escalated.append(module.name)
            self._pass_on(module, module.name, above, at)
        for place, (member, group) in enumerate(levels):
            window = self._window(group, at)
            verdict = self._verdict(group.policy, window, at, module.streak)
            if verdict is not None:
                return self._restart(member, verdict, len(window), tuple(escalated))
            top = place + 1 == len(levels)
            if group.policy.on_thrash != "escalate":
                return self._hold(member, group.policy, len(window), tuple(escalated))
            if top:
                return self._hold(group.name, group.policy, len(window), tuple(escalated))
            escalated.append(group.name)
            self._pass_on(module, group.name, levels[place + 1][1], at)
        raise AssertionError("the uppermost level has decided")

    def forgives_from(self, module: Module, now: float) -> float | None:
        """From when on a failure is followed by a restart without delay, if nothing else happens.

        None: not in sight. Failures only cease to count with time, so it holds from then on.
        """
        above = self.tree.parent(module.name)
        alone = module.program.judged_alone or above is None
        policy = module.program.policy if above is None or alone else above.policy
        period = policy.period
        times = module.failures if above is None or alone else self._window(above, now)
        counting = [time for time in times if now - time < period]
        excess = 0 if policy.intensity is None else len(counting) + 1 - policy.intensity
        if excess > len(counting):
            return None
        forgiven = counting[excess - 1] + period if excess > 0 else now
        undelayed = _undelayed(policy.backoff, module, now)
        return None if undelayed is None else max(forgiven, undelayed)

    def strained(self, failed: Module, decision: Decision, now: float) -> tuple[str, ...]:
        """Who may be forgiven less now that `failed` has: its group, or all when it was passed on."""
        above = self.tree.parent(failed.name)
        if decision.escalated:
            return tuple(self._modules)
        if above is None or above.policy.intensity is None or failed.program.judged_alone:
            return ()
        spent = self.counting(failed, now) >= above.policy.intensity
        return self.tree.programs(above.name) if spent else ()

    def forget(self, module: Module) -> None:
        """Its past no longer counts anywhere."""
        module.failures, module.streak, module.escalations = (), 0, {}

    def counting(self, module: Module, now: float) -> int:
        """Failures that count where `module` is judged."""
        above = self.tree.parent(module.name)
        if module.program.judged_alone or above is None:
            period = module.program.policy.period
            return sum(1 for time in module.failures if now - time < period)
        return len(self._window(above, now))

    def _verdict(
        self, policy: RestartPolicy, window: tuple[float, ...], at: float, streak: int
    ) -> float | None:
        """The delay before a restart, or None; `window` ends with the failure at `at`."""
        verdict = judge(policy, window[:-1], at, streak, self._draw())
        return verdict.delay if verdict.restart else None

    def _window(self, group: Group, at: float) -> tuple[float, ...]:
        """The times of all that counts in `group`."""
        times: list[float] = []
        for name in self.tree.programs(group.name):
            module = self._modules[name]
            if name in group.members and not module.program.judged_alone:
                times += module.failures
            times += module.escalations.get(group.name, ())
        return tuple(sorted(time for time in times if at - time < group.policy.period))

    def _pass_on(self, module: Module, whole: str, above: Group, at: float) -> None:
        """`whole` has failed as one, for the group above; what is in it begins anew."""
        outside = {group.name for _, group in self.tree.ancestors(whole)}
        for name in self.tree.programs(whole):
            inner = self._modules[name]
            inner.failures = ()
            inner.escalations = {
                group: times for group, times in inner.escalations.items() if group in outside
            }
        earlier = module.escalations.get(above.name, ())
        module.escalations = {**module.escalations, above.name: (*earlier, at)[-ESCALATIONS:]}

    def _restart(
        self, member: str, delay: float, attempt: int, escalated: tuple[str, ...]
    ) -> Decision:
        above = self.tree.parent(member)
        scope = "" if member in self._modules else member
        if above is not None and above.strategy != "one_for_one":
            scope = above.name
        return Decision(
            delay=delay,
            attempt=attempt,
            together=self.tree.affected(member),
            scope=scope,
            escalated=escalated,
        )

    def _hold(
        self, member: str, policy: RestartPolicy, attempt: int, escalated: tuple[str, ...]
    ) -> Decision:
        failover = policy.on_thrash
        return Decision(
            delay=None,
            attempt=attempt,
            together=self.tree.affected(member),
            escalated=escalated,
            failover=failover if failover in ("alternate-media", "other-routing-engine") else "",
        )


def _undelayed(backoff: Backoff, module: Module, now: float) -> float | None:
    """From when on the next failure has no delay; None: as long as it runs, never."""
    if backoff.cap == 0.0:
        return now
    if backoff.initial > 0.0:
        return None
    if module.streak == 0:
        return now
    if module.up_since is None:
        return None
    return module.up_since + module.program.policy.backoff.reset
