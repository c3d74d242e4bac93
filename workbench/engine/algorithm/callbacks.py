"""What the engine calls; an algorithm overrides what it needs."""

from __future__ import annotations

from typing import Any


class Callbacks:
    """Empty event handlers."""

    def initialize(self) -> None:
        """Set up dates, cash and subscriptions."""
        raise NotImplementedError("Please override the initialize() method")

    def on_data(self, slice: Any) -> None:
        """New data."""

    def on_warmup_finished(self) -> None:
        """The run has reached its start."""

    def on_order_event(self, order_event: Any) -> None:
        """Something happened to an order."""

    def on_assignment_order_event(self, assignment_event: Any) -> None:
        """A short option was assigned."""

    def on_end_of_algorithm(self) -> None:
        """The run is over."""

    def on_end_of_day(self, *args: Any) -> None:
        """Ten minutes before the close of each security's exchange."""

    def on_end_of_time_step(self) -> None:
        """A time step is over."""

    def on_securities_changed(self, changes: Any) -> None:
        """Securities came or went."""

    def on_margin_call(self, requests: Any) -> Any:
        """Orders are about to be sent because the account is too small; may be changed."""
        return requests

    def on_margin_call_warning(self) -> None:
        """Margin is nearly used up."""

    def on_splits(self, splits: Any) -> None:
        """Splits."""

    def on_dividends(self, dividends: Any) -> None:
        """Dividends."""

    def on_delistings(self, delistings: Any) -> None:
        """Delisting warnings and delistings."""

    def on_symbol_changed_events(self, symbols_changed: Any) -> None:
        """Tickers changed."""

    def on_command(self, data: Any) -> bool | None:
        """A command arrived."""
        return None

    def on_brokerage_message(self, message_event: Any) -> None:
        """The brokerage said something."""

    def on_brokerage_disconnect(self) -> None:
        """The brokerage went away."""

    def on_brokerage_reconnect(self) -> None:
        """The brokerage came back."""
