"""Faults, one in a file, and the one way to inject them.

    fault.py      what a fault is: its name, and how to prove that it took effect
    registry.py   all faults by kind
    injection.py  deliver one, prove it, follow the recovery, report

docs/how-to/add-a-fault.md tells how to add one.
"""
