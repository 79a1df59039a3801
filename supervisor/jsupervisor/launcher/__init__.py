"""The pre-imported fork server, in two stages.

The *lean* stage imports little (numpy) and forks packet engines; the *full* stage, itself forked
from lean, imports gRPC, trio and the daemons, and forks the rest. A child is ready to run without
an exec and without an import. A launcher never starts gRPC or a thread: only one thread survives a
fork, and a lock that another one held stays locked for ever in the child.

    server.py     the loop of a stage: fork orders in, children out
    child.py      the start protocol, in the newborn process
    resume.py     the same after an exec (`launch = "exec"`)
"""
