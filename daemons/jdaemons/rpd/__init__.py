"""The routing protocols process: routes from interfaces and configuration, and what to forward by."""
