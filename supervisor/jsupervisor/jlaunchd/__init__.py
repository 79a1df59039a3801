"""The supervisor: plan, dependency order, readiness, heartbeats, restart policy, operator API.

    plan.py       a profile, validated whole and frozen
    policy.py     what to do about a failure (pure, in OTP's words)
    child.py      the life of one module: states, events, legal moves (pure)
    module.py     what is known of one module, and its record
    core.py       all children together: dependencies, adoption, records (pure)
    journal.py    the event history on disk
    alarms.py     alarms kept raised at alarmd
    heartbeat.py  who has gone silent
    api.py        the operator's gRPC service
    daemon.py     the trio shell that carries the commands out

It may be killed at any time: init keeps its records and the exits it has not acknowledged, and the
next one adopts every module without touching it.
"""
