"""jsupervisor: a Junos-shaped router of crash-isolated processes, made to be broken and measured."""

__version__ = "0.1.0"
