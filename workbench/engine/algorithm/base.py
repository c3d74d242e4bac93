"""Clock, dates, cash, parameters: what an algorithm knows about its run."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from workbench.engine.enums import AlgorithmMode, AlgorithmStatus, DeploymentTarget, Resolution
from workbench.engine.exceptions import ArgumentException, InvalidOperationException, unsupported

if TYPE_CHECKING:
    from workbench.engine.portfolio import SecurityPortfolioManager
    from workbench.engine.runtime import Engine
    from workbench.engine.schedule import ScheduleManager
    from workbench.engine.schedule_rules import DateRules, TimeRules
    from workbench.engine.security_manager import SecurityManager
    from workbench.engine.settings import AlgorithmSettings, NotificationManager, UniverseSettings
    from workbench.engine.slices import Slice
    from workbench.engine.store import ObjectStore
    from workbench.engine.transactions import SecurityTransactionManager


def _date(args: tuple[Any, ...]) -> datetime:
    if len(args) == 1 and isinstance(args[0], (datetime, date)):
        return datetime(args[0].year, args[0].month, args[0].day)
    try:
        year, month, day = (int(a) for a in args)
        return datetime(year, month, day)
    except (TypeError, ValueError) as error:
        raise ArgumentException(f"Date Invalid: {args}: {error}") from None


class AlgorithmBase:
    """State that the engine keeps for the algorithm."""

    _engine: Engine
    _current_engine: Engine | None = None

    def __new__(cls, *args: Any, **kwargs: Any) -> AlgorithmBase:
        """Bind the instance to the engine that loads it, before any `__init__` of the algorithm runs."""
        if AlgorithmBase._current_engine is None:
            raise InvalidOperationException(
                f"{cls.__name__} was created outside a run; use `atomic backtest <project>` or run_backtest(...)")
        self = object.__new__(cls)
        self.__dict__["_engine"] = AlgorithmBase._current_engine
        return self

    def __init__(self) -> None:
        pass

    if TYPE_CHECKING:
        def __getattr__(self, name: str) -> Any: ...

    # -- clock ----------------------------------------------------------------------------------------------------

    @property
    def time(self) -> datetime:
        """Now in the algorithm's time zone, naive."""
        return self._engine.clock.time

    @property
    def utc_time(self) -> datetime:
        """Now, aware UTC."""
        return self._engine.clock.utc

    @property
    def time_zone(self) -> Any:
        return self._engine.clock.zone

    @property
    def is_warming_up(self) -> bool:
        """Whether orders are refused because the run has not reached its start."""
        return self._engine.is_warming_up

    @property
    def live_mode(self) -> bool:
        return self._engine.live_mode

    @property
    def algorithm_mode(self) -> AlgorithmMode:
        return AlgorithmMode.LIVE if self._engine.live_mode else AlgorithmMode.BACKTESTING

    @property
    def deployment_target(self) -> DeploymentTarget:
        return DeploymentTarget.LOCAL_PLATFORM

    @property
    def start_date(self) -> datetime:
        return self._engine.start_date

    @property
    def end_date(self) -> datetime:
        return self._engine.end_date

    @property
    def status(self) -> AlgorithmStatus:
        return self._engine.status

    @property
    def algorithm_id(self) -> str:
        # LEAN's is empty in `initialize` (Engine.cs:334); here the run's journal is found by it
        return self._engine.name

    @property
    def project_id(self) -> int:
        return 0

    @property
    def name(self) -> str:
        return self._engine.title

    @name.setter
    def name(self, value: str) -> None:
        self._engine.title = value

    def set_name(self, name: str) -> None:
        """Give the run a title."""
        self._engine.title = name

    @property
    def tags(self) -> set[str]:
        return self._engine.tags

    def add_tag(self, tag: str) -> None:
        """Attach a tag to the run."""
        self._engine.tags.add(tag)

    def set_start_date(self, *args: Any, **kwargs: Any) -> None:
        """First day of the run: year, month, day, or a date."""
        args = (*args, *kwargs.values())
        self._engine.require_unlocked("set_start_date")
        self._engine.set_start_date(_date(args))

    def set_end_date(self, *args: Any, **kwargs: Any) -> None:
        """Last day of the run, included: year, month, day, or a date."""
        args = (*args, *kwargs.values())
        self._engine.require_unlocked("set_end_date")
        self._engine.set_end_date(_date(args))

    def set_time_zone(self, time_zone: Any) -> None:
        """Zone of `self.time` and of the schedule's rules."""
        self._engine.require_unlocked("set_time_zone")
        self._engine.set_time_zone(ZoneInfo(time_zone) if isinstance(time_zone, str) else time_zone)

    def set_cash(self, *args: Any, **kwargs: Any) -> None:
        """Starting cash in dollars: `set_cash(amount)` or `set_cash("USD", amount)`."""
        self._engine.require_unlocked("set_cash")
        values = list(args) + list(kwargs.values())
        if len(values) >= 2:
            if str(values[0]).upper() != "USD":
                raise unsupported(f"set_cash in {values[0]}")
            values = values[1:]
        self._engine.portfolio.set_cash(float(values[0]))

    def set_account_currency(self, account_currency: str, starting_cash: float | None = None) -> None:
        """Only dollars."""
        if account_currency.upper() != "USD":
            raise unsupported(f"set_account_currency({account_currency!r})")
        if starting_cash is not None:
            self.set_cash(starting_cash)

    @property
    def account_currency(self) -> str:
        return "USD"

    def set_warm_up(self, period: Any, resolution: Resolution | None = None) -> None:
        """Replay this much before the start: a timedelta, or a number of bars."""
        if self._engine.locked:
            raise InvalidOperationException("QCAlgorithm.SetWarmup(): This method cannot be used after algorithm "
                                            "initialized")
        if isinstance(period, timedelta):
            self._engine.warm_up_period = period
        else:
            self._engine.warm_up_bars = int(period)
            self._engine.warm_up_resolution = resolution

    def set_warmup(self, period: Any, resolution: Resolution | None = None) -> None:
        """Another name of `set_warm_up`."""
        self.set_warm_up(period, resolution)

    @property
    def warm_up_period(self) -> timedelta | None:
        return self._engine.warm_up_period

    def quit(self, message: str = "") -> None:
        """End the run with the next time step; `on_end_of_algorithm` is called."""
        self._engine.quit(message)

    def get_last_known_price(self, security: Any) -> Any:
        """Last bar before now, from the data folder."""
        raise unsupported("QCAlgorithm.get_last_known_price")

    # -- parameters -----------------------------------------------------------------------------------------------

    def get_parameter(self, name: str, default_value: Any = None) -> Any:
        """A parameter of the run: text, or a number when the default is one."""
        self._engine.asked.add(name)
        value = self._engine.parameters.get(name)
        if value is None or value == "":
            return default_value
        if isinstance(default_value, bool) or default_value is None or isinstance(default_value, str):
            return value
        try:
            if isinstance(default_value, int):
                return int(value)
            if isinstance(default_value, float):
                return float(value)
        except ValueError:
            self._engine.error(f"Parameter {name}={value!r} is not a number; the default {default_value!r} is used")
            return default_value
        return value

    def get_parameters(self) -> dict[str, str]:
        """All parameters of the run."""
        self._engine.asked.update(self._engine.parameters)
        return dict(self._engine.parameters)

    # -- parts ----------------------------------------------------------------------------------------------------

    @property
    def portfolio(self) -> SecurityPortfolioManager:
        return self._engine.portfolio

    @property
    def securities(self) -> SecurityManager:
        return self._engine.securities

    @property
    def active_securities(self) -> SecurityManager:
        return self._engine.securities

    @property
    def transactions(self) -> SecurityTransactionManager:
        return self._engine.transactions

    @property
    def schedule(self) -> ScheduleManager:
        return self._engine.schedule

    @property
    def date_rules(self) -> DateRules:
        return self._engine.schedule.date_rules

    @property
    def time_rules(self) -> TimeRules:
        return self._engine.schedule.time_rules

    @property
    def settings(self) -> AlgorithmSettings:
        return self._engine.settings

    @property
    def universe_settings(self) -> UniverseSettings:
        return self._engine.universe_settings

    @property
    def object_store(self) -> ObjectStore:
        return self._engine.store

    @property
    def notify(self) -> NotificationManager:
        return self._engine.notify

    @property
    def current_slice(self) -> Slice | None:
        return self._engine.current_slice

    def train(self, *args: Any) -> None:
        """Call at once: `train(code)`; scheduled training is not supported."""
        if len(args) != 1:
            raise unsupported("QCAlgorithm.train with a schedule")
        args[0]()
