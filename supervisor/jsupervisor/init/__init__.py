"""The root process of an instance: reaps, keeps descriptors and records, restarts the supervisor.

Standard library alone, one thread, no waiting on anybody. Its death is a power failure: the kernel
kills every child with it.

    table.py      what is known of each process; the reservations of the start protocol (pure)
    store.py      named descriptors kept for others
    keeper.py     how init's own children are started, pinged and restarted (pure)
    peers.py      connections with bounded output
    server.py     the loop that ties them together
"""
