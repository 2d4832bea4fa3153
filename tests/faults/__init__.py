"""Faults: what becomes of views when a server, a client, a disk or a limit gives way in the middle of something."""
