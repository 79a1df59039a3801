"""The root process of an instance: reaps, keeps descriptors and records, restarts the supervisor.

Standard library alone, one thread, no waiting on anybody. Its death is a power failure: the kernel
kills every child with it.

    table.py      what is known of each process; the reservations of the start protocol, standing orders (pure)
    store.py      named descriptors kept for others
    keeper.py     how init's own children are started, pinged and restarted (pure); standby.py: a second jlaunchd
    foreign.py    programs that are not ours; nursery.py: children forked ahead; newborn.py: what they do
    spares.py     warm spares of modules
    tree.py       that nothing outlives the module that started it
    peers.py      connections with bounded output; requests.py: what they may ask
    server.py     the loop that ties them together
"""
