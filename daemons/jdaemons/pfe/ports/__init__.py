"""What a port of the router can be joined to."""
