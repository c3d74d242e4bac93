"""Order requests on several threads, as LEAN's live transaction handler works them.

LEAN keeps the order of requests of one order (or combo) and of nothing else: two orders sent one after the other may
be worked in either order, on different threads, and their events arrive on those threads. A synchronous submit waits
for at most a second until its request was worked; from inside an event handler it returns at once with status NEW
(lean_traces/live). The book itself is changed under one lock at a time, as LEAN's `_needsScanLock`.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from workbench.engine.enums import OrderRequestStatus
from workbench.engine.handler import BrokerageTransactionHandler
from workbench.engine.requests import SubmitOrderRequest, UpdateOrderRequest

if TYPE_CHECKING:
    from workbench.engine.live.chaos import Chaos
    from workbench.engine.orders import Order
    from workbench.engine.requests import OrderRequest

#: seconds a synchronous call waits until its request was worked (BTH:392-406)
WAIT: Final = 1.0
#: seconds a synchronous market order waits for its fill (STM:609-622)
WAIT_FILL: Final = 5.0
WORKERS: Final = 4


class _Requests:
    """What the base class takes for its queue: everything put in goes to the workers."""

    def __init__(self, dispatch: Any) -> None:
        self._dispatch = dispatch

    def append(self, item: tuple[OrderRequest, Order]) -> None:
        """Hand a request to the pool."""
        self._dispatch(item)

    def __bool__(self) -> bool:
        return False


class LiveTransactionHandler(BrokerageTransactionHandler):
    """The backtest's order rules on a pool of threads.

    Args:
        host: the engine.
        brokerage: the paper broker.
        chaos: delays and drops of the connection.
        workers: threads.
    """

    def __init__(self, host: Any, brokerage: Any, chaos: Chaos, workers: int = WORKERS) -> None:
        super().__init__(host, brokerage)
        self.lock = threading.RLock()
        self._owner: int | None = None
        self._chaos = chaos
        self._queue = _Requests(self._dispatch)  # type: ignore[assignment]
        self._waiting: deque[tuple[int, OrderRequest, Order, threading.Event]] = deque()
        self._working: set[int] = set()
        self._change = threading.Condition()
        self._running = True
        self._last = threading.local()
        self._threads = [
            threading.Thread(target=self._work, name=f"Transaction Thread {n}", daemon=True) for n in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    # -- taking requests ------------------------------------------------------------------------------------------

    def _dispatch(self, item: tuple[OrderRequest, Order]) -> None:
        request, order = item
        manager = order.group_order_manager
        key = order.id if manager is None else -manager.id
        done = threading.Event()
        self._last.done = done
        self._last.waits = isinstance(request, SubmitOrderRequest) and not request.asynchronous
        with self._change:
            self._waiting.append((key, request, order, done))
            self._change.notify()

    def drain(self) -> None:
        """After a submit: wait until it was worked, unless it is asynchronous or comes from inside an event."""
        done = getattr(self._last, "done", None)
        if done is not None and self._last.waits and not self._inside():
            done.wait(WAIT)

    def wait_for(self, order_id: int) -> bool:
        """Wait for the end of an order as a synchronous market order does; True when it has ended."""
        if self._inside():
            return False
        until = time.monotonic() + WAIT_FILL
        ticket = self.ticket(order_id)
        while ticket is not None and not ticket.status.is_closed() and time.monotonic() < until and self._running:
            time.sleep(0.005)
        return ticket is not None and ticket.status.is_closed()

    def _inside(self) -> bool:
        return self._owner == threading.get_ident()

    # -- working them ---------------------------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            with self._change:
                item = self._next()
                while item is None and self._running:
                    self._change.wait(0.05)
                    item = self._next()
                if item is None:
                    return
                self._working.add(item[0])
            try:
                delay = self._chaos.delay()
                if delay:
                    time.sleep(delay)
                self._handle(item[1])
            except Exception as error:
                self._host.error(f"HandleOrderRequest: {type(error).__name__}: {error}")
            finally:
                with self._change:
                    self._working.discard(item[0])
                    self._change.notify_all()
                item[3].set()

    def _next(self) -> tuple[int, OrderRequest, Order, threading.Event] | None:
        """One of the waiting requests whose order nobody works on; under the condition's lock."""
        if not self._waiting or self._host.clock.utc.timestamp() < self._chaos.down_until:
            return None
        free: list[int] = []
        seen: set[int] = set()
        for index, (key, *_) in enumerate(self._waiting):
            if key not in self._working and key not in seen:
                free.append(index)
            seen.add(key)
        if not free:
            return None
        index = free[self._chaos.pick(len(free))]
        item = self._waiting[index]
        del self._waiting[index]
        return item

    def _handle(self, request: OrderRequest) -> None:
        with self.locked():
            if isinstance(request, SubmitOrderRequest):
                response = self._handle_submit(request)
            elif isinstance(request, UpdateOrderRequest):
                response = self._handle_update(request)
            else:
                response = self._handle_cancel(request)
            request.set_response(response, OrderRequestStatus.PROCESSED)
            self.brokerage.scan()

    def process_synchronous_events(self) -> None:
        """Once a step on the algorithm's thread: fill what can be filled."""
        if self._host.clock.utc.timestamp() >= self._chaos.down_until:
            with self.locked():
                self.brokerage.scan()

    def locked(self) -> _Owned:
        """The book's lock, remembering who holds it."""
        return _Owned(self)

    @property
    def busy(self) -> bool:
        """True while requests wait or are worked on."""
        with self._change:
            return bool(self._waiting or self._working)

    def close(self) -> None:
        """Let the threads end; what waits is lost, as with a stopped process."""
        with self._change:
            self._running = False
            self._waiting.clear()
            self._change.notify_all()
        for thread in self._threads:
            thread.join(timeout=2.0)


class _Owned:
    """Holds the handler's lock and its owner's name; may be nested."""

    __slots__ = ("_before", "_handler")

    def __init__(self, handler: LiveTransactionHandler) -> None:
        self._handler = handler
        self._before: int | None = None

    def __enter__(self) -> None:
        self._handler.lock.acquire()
        self._before = self._handler._owner
        self._handler._owner = threading.get_ident()

    def __exit__(self, *args: object) -> None:
        self._handler._owner = self._before
        self._handler.lock.release()
