"""Operational data as text in Junos' layout: one pure function for each command, data in, text out."""
