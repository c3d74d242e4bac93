"""Security identifiers equal to LEAN's, as text and back.

An identifier is a ticker and one number that packs, from the highest digit down: right (1 digit), date as
OLE days (5), style (1), strike (6), strike scale (2), market (3), security type (2); written in base 36,
with the underlying's identifier behind a bar: `GOOCV WIQRN9T8L3JA|GOOCV VP83T1ZUHROL`.
Source: LEAN `Common/SecurityIdentifier.cs`, `Common/Market.cs`.
"""
from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from workbench.engine.enums import OptionRight, OptionStyle, SecurityType
from workbench.engine.exceptions import ArgumentException, FormatException, InvalidOperationException

OLE_EPOCH = datetime(1899, 12, 30)
DEFAULT_DATE = OLE_EPOCH
"""Date of what has none (LEAN `SecurityIdentifier.DefaultDate`)."""

_TYPE, _MARKET, _SCALE, _STRIKE, _STYLE, _DAYS, _RIGHT = (
    1, 100, 100_000, 10_000_000, 10_000_000_000_000, 100_000_000_000_000, 10_000_000_000_000_000_000)
_MAX_STRIKE = 475_712  # exclusive; see NormalizeStrike
_NEGATIVE = 1 << 19
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

OPTION_TYPES = frozenset({SecurityType.OPTION, SecurityType.FUTURE_OPTION, SecurityType.INDEX_OPTION})


class Market:
    """Market names, and their numbers inside an identifier."""

    USA = "usa"
    OANDA = "oanda"
    FXCM = "fxcm"
    DUKASCOPY = "dukascopy"
    BITFINEX = "bitfinex"
    GLOBEX = "cmeglobex"
    NYMEX = "nymex"
    CBOT = "cbot"
    ICE = "ice"
    CBOE = "cboe"
    CFE = "cfe"
    INDIA = "india"
    COMEX = "comex"
    CME = "cme"
    EUREX = "eurex"
    SGX = "sgx"
    HKFE = "hkfe"
    OSE = "ose"
    NYSELIFFE = "nyseliffe"
    KRAKEN = "kraken"
    BITSTAMP = "bitstamp"
    BINANCE = "binance"
    COINBASE = "coinbase"
    GDAX = COINBASE
    BYBIT = "bybit"
    INTERACTIVE_BROKERS = "interactivebrokers"
    DYDX = "dydx"
    KRX = "krx"


MARKET_CODES: dict[str, int] = {
    "empty": 0, "usa": 1, "fxcm": 2, "oanda": 3, "dukascopy": 4, "bitfinex": 5, "cmeglobex": 6, "nymex": 7, "cbot": 8,
    "ice": 9, "cboe": 10, "india": 11, "coinbase": 12, "kraken": 13, "bittrex": 14, "bithumb": 15, "binance": 16,
    "poloniex": 17, "coinone": 18, "hitbtc": 19, "okcoin": 20, "bitstamp": 21, "comex": 22, "cme": 23, "sgx": 24,
    "hkfe": 25, "nyseliffe": 26, "cfe": 33, "ftx": 34, "ftxus": 35, "binanceus": 36, "bybit": 37,
    "interactivebrokers": 39, "eurex": 40, "ose": 41, "dydx": 42, "krx": 43,
}
_MARKET_NAMES = {code: name for name, code in MARKET_CODES.items()}
_MARKET_NAMES[38] = "coinbase"


class FirstTicker(Protocol):
    """What an identifier needs from map files: the first ticker and first date of today's ticker."""

    def __call__(self, ticker: str, market: str) -> tuple[str, datetime] | None: ...


_first_ticker: FirstTicker | None = None


def use_map_files(first_ticker: FirstTicker | None) -> None:
    """Set where equity identifiers find a ticker's history; None when there are no map files."""
    global _first_ticker
    _first_ticker = first_ticker


def encode_base36(number: int) -> str:
    """Write a number in base 36, capital letters; 0 is the empty text (as LEAN's helper does)."""
    digits = []
    while number:
        number, rest = divmod(number, 36)
        digits.append(_DIGITS[rest])
    return "".join(reversed(digits))


def normalize_strike(strike: float | Decimal) -> tuple[int, int]:
    """Return the strike's six digits (20th bit set when negative) and its scale.

    Raises:
        ArgumentException: the strike needs more digits than an identifier has.
    """
    value = Decimal(str(strike))
    if value == 0:
        return 0, 0
    value *= 1_000_000
    scale = 0
    while value % 10 == 0:
        value /= 10
        scale += 1
    if value >= _MAX_STRIKE or value <= -_MAX_STRIKE:
        raise ArgumentException(f"The specified strike price's precision is too high: {strike}")
    digits = abs(int(value))
    return (digits | _NEGATIVE if value < 0 else digits), scale


class SecurityIdentifier:
    """Unique identifier of a security; compared and hashed by its text."""

    __slots__ = ("_date", "_hash", "_market", "_strike", "_text", "_underlying", "properties", "security_type",
                 "symbol")

    symbol: str
    """First ticker under which the security traded."""
    properties: int
    security_type: SecurityType
    _text: str

    def __init__(self, symbol: str, properties: int, underlying: SecurityIdentifier | None = None) -> None:
        if "|" in symbol or " " in symbol:
            raise ArgumentException("Symbol must not contain the characters '|' or ' '. (Parameter 'symbol')")
        try:
            self.security_type = SecurityType(properties % 100)
        except ValueError:
            raise ArgumentException(
                "The provided properties do not match with a valid SecurityType (Parameter 'properties')") from None
        self.symbol = symbol
        self.properties = properties
        self._underlying = underlying if underlying is not None and underlying.symbol else None
        text = f"{symbol} {encode_base36(properties) or '0'}"
        self._text = text if self._underlying is None else f"{text}|{self._underlying._text}"
        self._hash = hash(self._text)
        self._date: datetime | None = None
        self._strike: float | None = None
        self._market: str | None = None

    @property
    def has_underlying(self) -> bool:
        return self._underlying is not None

    @property
    def underlying(self) -> SecurityIdentifier:
        if self._underlying is None:
            raise InvalidOperationException(
                "No underlying specified for this identifier. Check that HasUnderlying is true before accessing the "
                "Underlying property.")
        return self._underlying

    @property
    def date(self) -> datetime:
        """Expiry of a contract, first trading day of an equity."""
        if self._date is None:
            if self.security_type in (SecurityType.FOREX, SecurityType.CFD, SecurityType.CRYPTO,
                                      SecurityType.COMMODITY):
                raise InvalidOperationException("Date is only defined for SecurityType.Equity, SecurityType.Option, "
                                                "SecurityType.Future, SecurityType.FutureOption, "
                                                "SecurityType.IndexOption, and SecurityType.Base")
            self._date = OLE_EPOCH + timedelta(days=self.properties // _DAYS % 100_000)
        return self._date

    @property
    def market(self) -> str:
        if self._market is None:
            code = self.properties // _MARKET % 1000
            self._market = _MARKET_NAMES.get(code, str(code))
        return self._market

    def _require_option(self, member: str) -> None:
        if self.security_type not in OPTION_TYPES:
            raise InvalidOperationException(f"{member} is only defined for SecurityType.Option, "
                                            "SecurityType.FutureOption, and SecurityType.IndexOption")

    @property
    def strike_price(self) -> float:
        """Strike in dollars."""
        if self._strike is None:
            self._require_option("StrikePrice")
            digits = self.properties // _STRIKE % 1_000_000
            scale = self.properties // _SCALE % 100 - 6
            if digits >> 19 & 1:
                digits = -(digits ^ _NEGATIVE)
            self._strike = float(Decimal(digits).scaleb(scale))
        return self._strike

    @property
    def option_right(self) -> OptionRight:
        self._require_option("OptionRight")
        return OptionRight(self.properties // _RIGHT % 10)

    @property
    def option_style(self) -> OptionStyle:
        self._require_option("OptionStyle")
        return OptionStyle(self.properties // _STYLE % 10)

    @staticmethod
    def parse(value: str | None) -> SecurityIdentifier:
        """Read an identifier from its text.

        Raises:
            FormatException: the text is not one or more `TICKER NUMBER` parts joined by bars.
        """
        if value is None or not value.strip() or value == " 0":
            return EMPTY
        known = _parsed.get(value)
        if known is not None:
            return known
        identifier: SecurityIdentifier | None = None
        for part in reversed(value.split("|")):
            pieces = part.split()
            if len(pieces) != 2:
                raise FormatException("The string must be splittable on space into two parts.")
            try:
                properties = int(pieces[1], 36)
            except ValueError:
                raise FormatException(f"'{pieces[1]}' in '{value}' is not a base 36 number.") from None
            identifier = SecurityIdentifier(pieces[0], properties, identifier)
            if identifier.market not in MARKET_CODES:
                raise ArgumentException("The specified market wasn't found in the markets lookup. Requested: "
                                        f"{identifier.market}. You can add markets by calling "
                                        "QuantConnect.Market.Add(string,int)")
        assert identifier is not None
        _parsed[value] = identifier
        return identifier

    @staticmethod
    def try_parse(value: str) -> SecurityIdentifier | None:
        """Read an identifier, or return None when the text is not one."""
        try:
            return SecurityIdentifier.parse(value)
        except (FormatException, ArgumentException):
            return None

    @staticmethod
    def generate_equity(symbol: str, market: str, map_symbol: bool = True) -> SecurityIdentifier:
        """Identifier of a stock: by its first ticker and date when map files know it, else by the ticker itself."""
        first = _first_ticker(symbol.upper(), market.lower()) if map_symbol and _first_ticker is not None else None
        ticker, date = first if first is not None else (symbol, DEFAULT_DATE)
        return _generate(date, ticker, SecurityType.EQUITY, market)

    @staticmethod
    def generate_index(symbol: str, market: str) -> SecurityIdentifier:
        return _generate(DEFAULT_DATE, symbol, SecurityType.INDEX, market)

    @staticmethod
    def generate_option(expiry: datetime, underlying: SecurityIdentifier, market: str, strike: float,
                        option_right: OptionRight, option_style: OptionStyle,
                        target_option: str | None = None) -> SecurityIdentifier:
        """Identifier of an option contract; `target_option` is its own ticker (SPXW), the underlying's by default."""
        return _generate(expiry, target_option or underlying.symbol, option_type_of(underlying.security_type), market,
                         strike, option_right, option_style, underlying)

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return self._text

    def to_string(self) -> str:
        return self._text

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, SecurityIdentifier) and self._text == other._text

    def __lt__(self, other: SecurityIdentifier) -> bool:
        return self._text < other._text

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return SecurityIdentifier.parse, (self._text,)


def option_type_of(underlying: SecurityType) -> SecurityType:
    """Type of the options on such an underlying."""
    kinds = {SecurityType.EQUITY: SecurityType.OPTION, SecurityType.FUTURE: SecurityType.FUTURE_OPTION,
             SecurityType.INDEX: SecurityType.INDEX_OPTION}
    if underlying not in kinds:
        raise ArgumentException(f"No option type exists for underlying SecurityType: {underlying}")
    return kinds[underlying]


def _generate(date: datetime, symbol: str, security_type: SecurityType, market: str, strike: float = 0,
              option_right: OptionRight = OptionRight.CALL, option_style: OptionStyle = OptionStyle.AMERICAN,
              underlying: SecurityIdentifier | None = None) -> SecurityIdentifier:
    code = MARKET_CODES.get(market.lower())
    if code is None:
        raise ArgumentException("The specified market wasn't found in the markets lookup. Requested: "
                                f"{market.lower()}. You can add markets by calling QuantConnect.Market.Add(string,int)")
    days = (date.replace(tzinfo=None) - OLE_EPOCH).days
    digits, scale = normalize_strike(strike)
    properties = (option_right * _RIGHT + days * _DAYS + option_style * _STYLE + digits * _STRIKE + scale * _SCALE
                  + code * _MARKET + security_type * _TYPE)
    return SecurityIdentifier(symbol.upper(), properties, underlying)


EMPTY = SecurityIdentifier("", 0)
NONE = SecurityIdentifier("NONE", 0)
_parsed: dict[str, SecurityIdentifier] = {}
