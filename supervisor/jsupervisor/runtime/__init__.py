"""What every module links: life cycle, health, feeds, RPC, faults, log.

Nothing is imported here: the packet engine imports `jsupervisor.runtime.lean` and must not get
gRPC or trio along with it.
"""
