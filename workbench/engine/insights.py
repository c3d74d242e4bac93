"""Insights, alpha models and portfolio construction (Common/Algorithm/Framework/Alphas, QCAlgorithm.Framework.cs).

What is here: insights with a close time, their collection, an alpha model's `update`, and portfolio construction that
makes its own targets. Constructions that weigh insights in per cent are not.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from workbench.engine.clock import to_utc
from workbench.engine.enums import InsightDirection, InsightType
from workbench.engine.exceptions import InvalidOperationException, unsupported

if TYPE_CHECKING:
    from workbench.engine.targets import PortfolioTarget

_SECOND = timedelta(seconds=1)


class Insight:
    """A view on a symbol until a time; made by `Insight.price` with a close time of the exchange's clock."""

    def __init__(
        self, symbol: Any, close_time_local: datetime, type: InsightType, direction: InsightDirection,
        magnitude: float | None = None, confidence: float | None = None, source_model: str | None = None,
        weight: float | None = None, tag: str = "",
    ) -> None:  # fmt: skip
        if not isinstance(close_time_local, datetime):
            raise unsupported(f"Insight with a period of type {close_time_local.__class__.__name__}")
        self.id = uuid.uuid4()
        self.group_id: uuid.UUID | None = None
        self.symbol = getattr(symbol, "symbol", symbol)
        self.type = type
        self.direction = direction
        self.magnitude, self.confidence, self.weight = magnitude, confidence, weight
        self.source_model = source_model or ""
        self.tag = tag
        self.reference_value = 0.0
        self.generated_time_utc = datetime(1, 1, 1, tzinfo=UTC)
        self.close_time_utc = datetime(1, 1, 1, tzinfo=UTC)
        self.period = timedelta(0)
        self._close_local = close_time_local

    @staticmethod
    def price(
        symbol: Any, close_time_local: datetime, direction: InsightDirection, magnitude: float | None = None,
        confidence: float | None = None, source_model: str | None = None, weight: float | None = None, tag: str = "",
    ) -> Insight:  # fmt: skip
        """A view on the price; other periods than a close time are not supported."""
        return Insight(symbol, close_time_local, InsightType.PRICE, direction, magnitude, confidence, source_model,
                       weight, tag)  # fmt: skip

    @staticmethod
    def group(*insights: Any) -> list[Insight]:
        """Give insights one group id; a list counts as its entries."""
        flat = [one for given in insights for one in (given if isinstance(given, list | tuple) else [given])]
        group_id = uuid.uuid4()
        for insight in flat:
            if insight.group_id is not None:
                raise InvalidOperationException(f"Unable to set group id on insight {insight.id} because it has already"
                                                " been assigned to a group.")
            insight.group_id = group_id
        return flat

    def set_period_and_close_time(self, hours: Any) -> None:
        """The close time moves to the next open where the exchange is closed (Insight.cs:687)."""
        local = self._close_local
        if not hours.is_open(local, False):
            local = hours.get_next_market_open(local, False)
        self.close_time_utc = to_utc(local, hours.time_zone)
        if self.generated_time_utc > self.close_time_utc:
            raise ValueError("Insight closeTimeLocal must not be in the past. (Parameter 'closeTimeLocal')")
        self.period = self.close_time_utc - self.generated_time_utc

    def is_expired(self, utc_time: datetime) -> bool:
        """Whether its time is over."""
        return self.close_time_utc < utc_time

    def is_active(self, utc_time: datetime) -> bool:
        """Whether its time is not over."""
        return not self.is_expired(utc_time)

    def expire(self, utc_time: datetime) -> None:
        """End it a second ago."""
        if self.is_active(utc_time):
            self.close_time_utc = utc_time - _SECOND
            self.period = self.close_time_utc - self.generated_time_utc

    cancel = expire


class InsightManager:
    """The insights of a run (InsightCollection.cs)."""

    def __init__(self) -> None:
        self._by_symbol: dict[Any, list[Insight]] = {}
        self.total_count = 0

    def __iter__(self) -> Iterator[Insight]:
        return iter([insight for insights in self._by_symbol.values() for insight in insights])

    @property
    def count(self) -> int:
        return sum(map(len, self._by_symbol.values()))

    def add(self, insight: Insight) -> None:
        """Keep one."""
        self.total_count += 1
        self._by_symbol.setdefault(insight.symbol, []).append(insight)

    def add_range(self, insights: Iterable[Insight]) -> None:
        """Keep several."""
        for insight in insights:
            self.add(insight)

    def contains_key(self, symbol: Any) -> bool:
        """Whether there are insights on a symbol."""
        return symbol in self._by_symbol

    def get_active_insights(self, utc_time: datetime) -> list[Insight]:
        """Those whose time is not over."""
        return [insight for insight in self if insight.is_active(utc_time)]

    def has_active_insights(self, symbol: Any, utc_time: datetime) -> bool:
        """Whether one on this symbol is active."""
        return any(insight.is_active(utc_time) for insight in self._by_symbol.get(symbol, ()))

    def remove_expired_insights(self, utc_time: datetime) -> list[Insight]:
        """Forget those whose time is over, and return them."""
        expired = [insight for insight in self if insight.is_expired(utc_time)]
        for insight in expired:
            left = self._by_symbol[insight.symbol]
            left.remove(insight)
            if not left:
                del self._by_symbol[insight.symbol]
        return expired

    def get_next_expiry_time(self) -> datetime | None:
        """The earliest close time."""
        return min((insight.close_time_utc for insight in self), default=None)

    def expire(self, symbols: Iterable[Any], utc_time: datetime) -> None:
        """End all insights on these symbols."""
        for symbol in symbols:
            for insight in self._by_symbol.get(symbol, ()):
                insight.expire(utc_time)


class AlphaModel:
    """Base of an alpha model."""

    def update(self, algorithm: Any, data: Any) -> list[Insight]:
        """Insights of this step."""
        raise unsupported("AlphaModel.update without an implementation")

    def on_securities_changed(self, algorithm: Any, changes: Any) -> None:
        """Securities came or went."""


class NullAlphaModel(AlphaModel):
    """Has no view."""

    def update(self, algorithm: Any, data: Any) -> list[Insight]:
        return []


class PortfolioConstructionModel:
    """Base of a portfolio construction; override `create_targets`."""

    def create_targets(self, algorithm: Any, insights: list[Insight]) -> list[PortfolioTarget]:
        """Targets of this step; weighing in per cent is not supported."""
        raise unsupported("PortfolioConstructionModel.create_targets without an implementation of one's own")

    def on_securities_changed(self, algorithm: Any, changes: Any) -> None:
        """Insights on what went end."""
        gone = [security.symbol for security in changes.removed_securities]
        if gone:
            algorithm.insights.expire(gone, algorithm.utc_time)


class NullPortfolioConstructionModel(PortfolioConstructionModel):
    """Makes no targets."""

    def create_targets(self, algorithm: Any, insights: list[Insight]) -> list[PortfolioTarget]:
        return []
