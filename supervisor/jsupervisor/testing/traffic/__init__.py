"""Traffic to measure a router with: hosts that send by schedule and account for every packet.

    frames.py      Ethernet, ARP, IPv4, IPv6, neighbour discovery and UDP, built and read (pure)
    flows.py       what is sent where, at which rate; JSON to and from the host processes
    neighbours.py  a host's side of ARP and neighbour discovery (pure)
    schedule.py    open loop: how many packets are due, whatever became of the earlier ones (pure)
    ledger.py      counters and arrival times in memory that both processes map
    losses.py      packets lost, gaps and outages of a window, out of the arrival times (pure)
    links.py       how a frame gets to a port: `unix:` and `udp:`
    host.py        the host process
    testbed.py     starts hosts, starts and stops the traffic, reads the ledgers

A host is a process of its own (python -m jsupervisor.testing.traffic), so that what is measured
does not share an interpreter with what measures.
"""
