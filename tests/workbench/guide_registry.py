"""Where a piece of the guide waits for the algorithm that runs it (same process)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: what the next run does at ten o'clock
piece: Callable[[Any], None]
#: the algorithm of the last run
algorithm: Any = None
