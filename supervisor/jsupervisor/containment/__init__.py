"""What a module may do to the machine and to its neighbours, and how it is held to it.

A newborn process goes through these in the order of the start protocol; each layer stands alone, and
what this machine does not offer is left out and said aloud (`jsupervisor doctor`, `status`). Standard
library and ctypes alone, light enough for the lean launcher. docs/containment.md says what each stops.

    roles.py          who may do what: the one table
    credentials.py    one uid and gid for each module, capabilities
    folders.py        whose files are whose, once modules have uids
    view.py           a private view of the file system, for folders that strangers cannot enter
    limits.py         resource limits, no_new_privs
    landlock.py       paths, TCP ports, signals and abstract sockets
    seccomp.py        system calls; syscalls.py has their numbers
    cgroups.py        process trees that can be killed at one stroke
    machine.py        what this machine offers
    cell.py           all of it around one newborn process
    kernel.py         the calls that Python lacks
"""
