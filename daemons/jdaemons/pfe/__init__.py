"""The packet forwarding engine of one FPC, as two processes: the engine and its pfectl.

Kept empty: the engine imports numpy and the lean runtime and nothing else of weight.
"""
