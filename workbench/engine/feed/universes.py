"""Option universe files: the contracts of a chain with their end-of-day figures.

A file of day D holds what was known at the end of D, so it selects contracts from the following midnight on.
Source: LEAN `Common/Data/UniverseSelection/OptionUniverse.cs`.
"""
from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from workbench.engine.enums import OptionRight, SecurityType
from workbench.engine.exceptions import DataError
from workbench.engine.identifiers import SecurityIdentifier
from workbench.engine.symbols import Symbol, default_option_style


class Greeks:
    """Sensitivities of an option price, dollars per share.

    `theta` is per year as LEAN's (`theta_per_day` = theta / 365); of a universe file it is what the file says.
    """

    __slots__ = ("delta", "gamma", "rho", "theta", "vega")

    def __init__(self, delta: float = 0.0, gamma: float = 0.0, vega: float = 0.0, theta: float = 0.0,
                 rho: float = 0.0) -> None:
        self.delta = delta
        self.gamma = gamma
        self.vega = vega
        self.theta = theta
        self.rho = rho

    @property
    def theta_per_day(self) -> float:
        return self.theta / 365.0

    @property
    def lambda_(self) -> float:
        return 0.0

    def __repr__(self) -> str:
        return f"D: {self.delta}, G: {self.gamma}, V: {self.vega}, T: {self.theta}, R: {self.rho}"


class ContractData:
    """One line of a universe file."""

    __slots__ = ("_cells", "close", "end_time", "high", "low", "open", "symbol", "time", "underlying", "volume")

    def __init__(self, symbol: Symbol, time: datetime, cells: list[str]) -> None:
        self.symbol = symbol
        self.time = time
        self.end_time = time + timedelta(days=1)
        self.open, self.high, self.low, self.close, self.volume = (
            float(cell) if cell else 0.0 for cell in cells[:5])
        self._cells = cells
        self.underlying: ContractData | None = None

    def _number(self, index: int) -> float:
        return float(self._cells[index]) if len(self._cells) > index and self._cells[index] else 0.0

    @property
    def id(self) -> SecurityIdentifier:
        return self.symbol.id

    @property
    def price(self) -> float:
        return self.close

    @property
    def value(self) -> float:
        return self.close

    @property
    def open_interest(self) -> float:
        return self._number(5)

    @property
    def implied_volatility(self) -> float:
        return self._number(6)

    @property
    def greeks(self) -> Greeks:
        return Greeks(*(self._number(index) for index in range(7, 12)))

    @property
    def expiry(self) -> datetime:
        return self.symbol.id.date

    @property
    def strike(self) -> float:
        return self.symbol.id.strike_price

    @property
    def right(self) -> OptionRight:
        return self.symbol.id.option_right

    @property
    def ID(self) -> object:
        return self.symbol.id

    def __repr__(self) -> str:
        return f"{self.symbol.value} {self.close}"


class UniverseData:
    """All contracts of a chain as of the end of a day."""

    __slots__ = ("contracts", "end_time", "symbol", "time", "underlying")

    def __init__(self, symbol: Symbol, time: datetime, underlying: ContractData | None,
                 contracts: list[ContractData]) -> None:
        self.symbol = symbol
        self.time = time
        self.end_time = time + timedelta(days=1)
        self.underlying = underlying
        self.contracts = contracts


_symbols: dict[tuple[Symbol, str, str, str], Symbol] = {}


def read_universe(path: Path, canonical: Symbol, time: datetime) -> UniverseData | None:
    """Read a universe file; None when there is none for the day.

    Raises:
        DataError: a line is not `expiry,strike,right,open,high,low,close,volume,open_interest,...`.
    """
    if not path.exists():
        return None
    root = canonical.underlying
    assert root is not None
    target = canonical.id.symbol if canonical.security_type == SecurityType.INDEX_OPTION else None
    style = default_option_style(canonical.security_type)
    underlying: ContractData | None = None
    contracts = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line[0] == "#":
            continue
        cells = line.split(",")
        try:
            if not line[0].isdigit():
                underlying = ContractData(root, time, cells[3:])
                continue
            key = (canonical, cells[0], cells[1], cells[2])
            symbol = _symbols.get(key)
            if symbol is None:
                expiry = datetime(int(cells[0][:4]), int(cells[0][4:6]), int(cells[0][6:8]))
                right = OptionRight.CALL if cells[2].upper() == "C" else OptionRight.PUT
                symbol = Symbol.create_option(root, target, canonical.id.market, style, right, float(cells[1]), expiry)
                if len(_symbols) > 500_000:
                    _symbols.clear()
                _symbols[key] = symbol
            contracts.append(ContractData(symbol, time, cells[3:]))
        except (ValueError, IndexError) as error:
            raise DataError(path, f"not a line of an option universe ({error}): {line}", number) from error
    for contract in contracts:
        contract.underlying = underlying
    return UniverseData(canonical, time, underlying, contracts)
