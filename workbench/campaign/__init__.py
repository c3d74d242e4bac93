"""Fault campaigns: an adversarial broker, an oracle that knows the true history, and the runs between them.

Nothing here is imported by `Library/`; everything here drives the library through its own ports, so what is
judged is the code that trades.
"""
