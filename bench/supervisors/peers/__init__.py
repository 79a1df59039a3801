"""The peers: one module for each, with its files in the form that its manual shows."""
