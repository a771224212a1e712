"""What failed lately and what is left of each quota: which places rest, until when, and who may try them again.

Remembers across processes and restarts. Decides nothing: the plan reads a `View`, the walk
notes what came of it. Sends nothing.
"""
