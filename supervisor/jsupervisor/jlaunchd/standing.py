"""Orders given in advance: what follows from the next failure, where that is certain already.

Most programs that fail are started again at once, and alone, and whether that is so is known before they
fail. Then init is told so while all is well, and restarts the program in the very turn in which it reaps
it: nobody is asked, and it happens also while there is no supervisor. The supervisor hears of both, and
counts the failure like any other.

What made the order right can only cease to hold by an event that the supervisor sees: failures count less
with time, not more. On every such event the order is taken back, before anything else is said of the
program. If it fails just then, what init has done stands, and what was decided befalls the successor.
Pure.
"""

from __future__ import annotations

from jsupervisor.jlaunchd.child import State
from jsupervisor.jlaunchd.judge import Judge
from jsupervisor.jlaunchd.module import Module
from jsupervisor.jlaunchd.ordering import Ordering


def stands_from(module: Module, judge: Judge, ordering: Ordering, now: float) -> float | None:
    """The moment from which init may have a standing order for `module`; None: not as things are."""
    program = module.program
    if module.state is not State.UP or not module.wanted or module.removed:
        return None
    if program.restart != "permanent":
        return None
    above = judge.tree.parent(module.name)
    if above is not None and above.strategy != "one_for_one":
        return None
    if judge.tree.earlier(module.name):
        return None  # a group further up keeps an order, and it may have to wait
    if any(True for _ in ordering.followers((module.name,))):
        return None
    return judge.forgives_from(module, now)
