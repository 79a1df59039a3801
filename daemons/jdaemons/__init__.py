"""The modules of the router, each a process of its own; they know one another only by protos/."""
