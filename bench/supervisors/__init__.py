"""Ours against the supervisors that people use: the same programs, the same kills, the same run.

work.py, trivial.c, pydaemon.py   what is supervised: a C program and a Python gRPC daemon
board.py                          where they stamp that they are ready
procfs.py                         what the kernel says of the supervisors' own cost
system.py, peers/, ours.py        one class for each supervisor: its files, its start, its pids
setup.py                          fetches the peers; says why one is not to be had
enclosure.py, cell.py             one measurement in namespaces of its own, which end with it
scenarios.py, adoption.py         what is done to a supervisor, and what is noted
benchmarks.py                     the series for bench/run: who, how often, in which order
stats.py, aims.py, report.py      medians with intervals, the aims, the tables of RESULTS.md
"""
