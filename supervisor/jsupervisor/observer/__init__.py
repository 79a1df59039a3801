"""What can be known of an instance from outside: /proc, and the events that init pushes.

Faults, the harness, the demo and the benchmarks rely on this and on nothing that jlaunchd claims:
a supervisor that restarts too much must not be the one who counts the restarts.

    processes.py   pids with start times, states, CPU time and memory, read from /proc
    events.py      event records
    status.py      status as typed values
    operator.py    a client of init's socket
"""
