"""The hardware: which FPCs, PICs and ports there are, in which state, and which ports have a link.

Everything it knows of a chassis comes from the profile; that an FPC is alive it learns from the FPC's
own pfectl.
"""
