"""The `jsupervisor` command. Everything here imports late, so that a command starts at once."""
