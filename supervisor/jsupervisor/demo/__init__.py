"""The main job in one command: every module killed and stopped in turn, under traffic, measured.

lab.py         the router, its two hosts and its flows
fib.py         what a change of input must do to the forwarding table, and nothing else (pure)
changes.py     what is changed while a producer is dead
rows.py        one row for each fault, and the verdict (pure)
observer.py    who runs and which sessions stand, as nobody but the kernel and the clients say
runner.py      the run
report.py      JSON and the table
"""
