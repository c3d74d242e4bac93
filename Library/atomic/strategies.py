"""The strategies by name."""
from __future__ import annotations


class Strategies:
    """Mixin."""
