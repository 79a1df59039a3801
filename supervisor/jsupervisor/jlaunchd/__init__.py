"""The supervisor: plan, dependency order, readiness, heartbeats, restart policy, operator API.

    plan.py         a profile or a file of programs, validated whole and frozen (profile.py, supervisefile.py)
    policy.py       what to do about a failure (pure, in OTP's words)
    groups.py       who restarts with whom (pure); judge.py: whose policy decides, and what counts where
    child.py        the life of one module: states, events, legal moves (pure)
    module.py       what is known of one module, and its record
    core.py         all children together: dependencies, adoption, records (pure); moves.py, ordering.py, output.py
    standing.py     what init may restart by itself (pure)
    spares.py       when a warm spare is made (pure)
    hearts.py       who has gone silent
    postmortem.py   what is kept of a death
    journal.py      the event history on disk; ledger.py, tally.py: its counters
    api.py          the operator's gRPC service
    daemon.py       the trio shell that carries the commands out

It may be killed at any time: init keeps its records and the exits it has not acknowledged, and the
next one adopts every module without touching it.
"""
