"""Small tables of names."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from workbench.engine.clock import to_local, to_utc
from workbench.engine.enums import SecurityType
from workbench.engine.margin_calls import NullMarginCallModel


class Market:
    """Market names (Common/Market.cs)."""

    USA = "usa"
    CBOE = "cboe"
    CME = "cme"
    INDIA = "india"
    EUREX = "eurex"


class TimeZones:
    """Time zones by name (Common/TimeZones.cs)."""

    UTC = ZoneInfo("UTC")
    NEW_YORK = ZoneInfo("America/New_York")
    CHICAGO = ZoneInfo("America/Chicago")
    LOS_ANGELES = ZoneInfo("America/Los_Angeles")
    LONDON = ZoneInfo("Europe/London")
    EASTERN_STANDARD = ZoneInfo("Etc/GMT+5")


class Extensions:
    """Extension methods that LEAN's Python samples call."""

    @staticmethod
    def convert_to_utc(local: datetime, zone: tzinfo) -> datetime:
        """Aware UTC time of a wall-clock time."""
        return to_utc(local, zone)

    @staticmethod
    def convert_from_utc(utc: datetime, zone: tzinfo) -> datetime:
        """Wall-clock time of a UTC time."""
        return to_local(utc if utc.tzinfo is not None else to_utc(utc, TimeZones.UTC), zone)

    @staticmethod
    def round_down(value: datetime, interval: Any) -> datetime:
        """A time rounded down to a multiple of an interval."""
        start = value.replace(hour=0, minute=0, second=0, microsecond=0)
        whole: int = (value - start) // interval
        rounded: datetime = start + whole * interval
        return rounded


    @staticmethod
    def is_option(security_type: SecurityType) -> bool:
        """Whether the type is an option."""
        return security_type in (SecurityType.OPTION, SecurityType.INDEX_OPTION, SecurityType.FUTURE_OPTION)


class OrderExtensions:
    """Questions about an order's status."""

    @staticmethod
    def is_open(status: Any) -> bool:
        """Whether it can still change."""
        return bool(status.is_open())

    @staticmethod
    def is_closed(status: Any) -> bool:
        """Whether it has ended."""
        return bool(status.is_closed())

    @staticmethod
    def is_fill(status: Any) -> bool:
        """Whether it is a fill."""
        return bool(status.is_fill())


class SecurityPositionGroupModel:
    """`portfolio.set_positions(SecurityPositionGroupModel.NULL)` turns position groups off."""

    NULL: SecurityPositionGroupModel


SecurityPositionGroupModel.NULL = SecurityPositionGroupModel()


class MarginCallModel:
    """`MarginCallModel.NULL` turns margin calls off."""

    NULL: NullMarginCallModel = NullMarginCallModel()
