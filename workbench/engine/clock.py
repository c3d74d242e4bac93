"""The engine's one notion of now."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

NEW_YORK: Final = ZoneInfo("America/New_York")


def to_local(utc: datetime, zone: tzinfo) -> datetime:
    """Naive wall-clock time of an aware UTC time in a zone."""
    return utc.astimezone(zone).replace(tzinfo=None)


def to_utc(local: datetime, zone: tzinfo) -> datetime:
    """Aware UTC time of a naive wall-clock time in a zone."""
    return local.replace(tzinfo=zone).astimezone(UTC)


class Clock:
    """Algorithm time: set by the time loop, read by everybody. `utc` is aware; `version` grows with every change."""

    __slots__ = ("_local", "_zone", "_zones", "utc", "version")

    def __init__(self, utc: datetime, zone: tzinfo = NEW_YORK) -> None:
        self.utc = utc
        self.version = 0
        self._zone = zone
        self._local: datetime | None = None
        self._zones: dict[tzinfo, datetime] = {}

    def set(self, utc: datetime) -> None:
        """Move to a time."""
        self.utc = utc
        self.version += 1
        self._local = None
        if self._zones:
            self._zones.clear()

    @property
    def zone(self) -> tzinfo:
        """The algorithm's time zone."""
        return self._zone

    @zone.setter
    def zone(self, zone: tzinfo) -> None:
        self._zone = zone
        self._local = None

    @property
    def time(self) -> datetime:
        """Now in the algorithm's zone, naive."""
        local = self._local
        if local is None:
            local = self._local = to_local(self.utc, self._zone)
        return local

    def local(self, zone: tzinfo) -> datetime:
        """Now in a zone, naive."""
        if zone is self._zone:
            return self.time
        local = self._zones.get(zone)
        if local is None:
            local = self._zones[zone] = to_local(self.utc, zone)
        return local
