"""The gateway: a server in front of every model, in the callers' own protocols.

It asks through `jackfield.client`. It reads no file and no environment: whoever starts it hands it its parts.
"""
