"""The interface control process: logical interfaces from the configuration and the ports there are."""
