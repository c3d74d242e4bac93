"""`AtomicAlgorithm`: a QCAlgorithm with an executor wired in, for those who want none of it by hand.

```python
class Condor(AtomicAlgorithm):
    def initialize(self):
        ...
        self.use_atomic("condor", policy=Policy(...))

    def on_slice(self, slice):  # instead of on_data
        if self.atomic.ready and not self.atomic.groups.open:
            self.atomic.execute_iron_condor_atomic(short_call, long_call, short_put, long_put)
```

LEAN looks up `on_data` and `on_order_event` once, right after the algorithm is made (facts: LEAN 8.4); they are defined
here, so `on_slice`, `on_order` and `on_atomic_started` take their place. Who overrides the originals calls `super()`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from AlgorithmImports import QCAlgorithm

from .charts import Panel
from .executor import AtomicOrderExecutor

if TYPE_CHECKING:
    from AlgorithmImports import OrderEvent, Slice

    from .startup import StartReport


class AtomicAlgorithm(QCAlgorithm):
    """Base class that forwards start, order events and data to ``self.atomic``."""

    #: the executor; None until `use_atomic`
    atomic: AtomicOrderExecutor = None  # type: ignore[assignment]  # who trades has called `use_atomic`

    #: charts and runtime statistics; None until `use_atomic`
    panel: Panel | None = None

    def use_atomic(self, name: str, **options: Any) -> AtomicOrderExecutor:
        """Make the executor and its charts; call it in `initialize`. Options as for `AtomicOrderExecutor`."""
        self.atomic = AtomicOrderExecutor(self, name=name, **options)
        self.panel = Panel(self, self.atomic)
        return self.atomic

    def on_slice(self, slice: Slice) -> None:
        """New data, after the executor has seen it; override this instead of `on_data`."""

    def on_order(self, order_event: OrderEvent) -> None:
        """An order event, after the executor has seen it; override this instead of `on_order_event`."""

    def on_atomic_started(self, report: StartReport) -> None:
        """The start has settled what an earlier run left; override to look at the report."""
        self.log(str(report))

    def on_warmup_finished(self) -> None:
        """The first moment at which LEAN lets an algorithm trade."""
        if self.atomic is not None:
            self.on_atomic_started(self.atomic.start())

    def on_order_event(self, order_event: OrderEvent) -> None:
        """Forward to the executor, then to `on_order`."""
        if self.atomic is not None:
            self.atomic.on_order_event(order_event)
        self.on_order(order_event)

    def on_data(self, slice: Slice) -> None:
        """Forward to the executor, then to `on_slice`."""
        if self.atomic is not None:
            self.atomic.on_data(slice)
        self.on_slice(slice)
        if self.panel is not None:
            self.panel.update()

    def on_end_of_algorithm(self) -> None:
        """Write the journal a last time."""
        if self.panel is not None:
            self.panel.update(last=True)
        if self.atomic is not None:
            self.atomic.shutdown()

    def on_command(self, data: object) -> bool:
        """Hand an operator's command to the executor: `lean live command`, `atomic command`."""
        return self.atomic is not None and self.atomic.on_command(data)
