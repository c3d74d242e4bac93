"""Settings an algorithm may change (Common/AlgorithmSettings.cs, UniverseSettings.cs)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from workbench.engine.enums import DataNormalizationMode, Resolution
from workbench.engine.exceptions import unsupported
from workbench.engine.members import lean_class


class AlgorithmSettings:
    """`self.settings` of an algorithm."""

    def __init__(self) -> None:
        self.__dict__.update(
            data_subscription_limit=2**31 - 1,
            liquidate_enabled=True,
            max_absolute_portfolio_target_percentage=1_000_000_000.0,
            min_absolute_portfolio_target_percentage=1e-10,
            minimum_order_margin_portfolio_percentage=0.001,
            rebalance_portfolio_on_security_changes=None,
            rebalance_portfolio_on_insight_changes=None,
            free_portfolio_value=None,
            free_portfolio_value_percentage=0.0025,
            stale_price_time_span=timedelta(hours=1),
            warmup_resolution=None,
            warm_up_resolution=None,
            trading_days_per_year=None,
            daily_precise_end_time=True,
            daily_consolidation_use_extended_market_hours=False,
            automatic_indicator_warm_up=False,
            seed_initial_prices=False,
            ignore_unknown_asset_holdings=True,
            databases_refresh_period=timedelta(days=1),
            performance_sample_period=timedelta(0),
        )

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self.__dict__:
            raise unsupported(f"settings.{name}")
        if name == "seed_initial_prices" and value:
            raise unsupported("settings.seed_initial_prices = True")
        self.__dict__[name] = value

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise unsupported(f"settings.{name}")


class UniverseSettings:
    """Defaults of what universes add."""

    def __init__(self) -> None:
        self.resolution = Resolution.MINUTE
        self.leverage = 0.0
        self.fill_forward = True
        self.extended_market_hours = False
        self.minimum_time_in_universe = timedelta(days=1)
        self.data_normalization_mode = DataNormalizationMode.ADJUSTED
        self.asynchronous = False


@lean_class("NotificationManager")
class NotificationManager:
    """`self.notify`: local runs send nothing (LEAN's local messaging only logs); what would be sent is kept."""

    def __init__(self, record: Any) -> None:
        self._record = record

    if TYPE_CHECKING:
        def __getattr__(self, name: str) -> Any: ...

    def email(self, address: str, subject: str, message: str, data: str = "", headers: Any = None) -> bool:
        """Record a mail."""
        self._record("email", {"address": address, "subject": subject, "message": message, "data": data})
        return True

    def sms(self, phone_number: str, message: str) -> bool:
        """Record a text message."""
        self._record("sms", {"phone_number": phone_number, "message": message})
        return True

    def web(self, address: str, data: object = None, headers: Any = None) -> bool:
        """Record a web hook call."""
        self._record("web", {"address": address, "data": data, "headers": headers})
        return True

    def telegram(self, user: str, message: str, token: str | None = None) -> bool:
        """Record a Telegram message."""
        self._record("telegram", {"user": user, "message": message})
        return True

    def ftp(self, *args: Any, **kwargs: Any) -> bool:
        """Record an upload."""
        self._record("ftp", {"args": [str(a) for a in args]})
        return True
