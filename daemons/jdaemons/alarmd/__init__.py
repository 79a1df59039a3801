"""Active alarms: others raise and clear them, operators and management read them.

Alarms live in memory only; their owners raise them again when alarmd has started anew.
"""
