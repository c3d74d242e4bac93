"""Enumerations an algorithm sees, with LEAN's names and numbers.

In LEAN (pythonnet) an enum value equals its number and its name, hashes as its number and prints its name;
`LeanEnum` behaves the same. Source of the numbers: LEAN `Common/Global.cs`, `Common/Orders`, `Common/Brokerages`.
"""
from __future__ import annotations

from enum import IntEnum


class LeanEnum(IntEnum):
    """Integer enumeration that prints its name and also equals it, as LEAN's enums do in Python."""

    def __str__(self) -> str:
        return self._name_

    def __format__(self, format_spec: str) -> str:
        return format(self._name_ if not format_spec or format_spec[-1] not in "bcdoxXn" else int(self), format_spec)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if isinstance(other, str):
            return self._name_ == other
        return int.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        if self is other:
            return False
        if isinstance(other, str):
            return self._name_ != other
        return int.__ne__(self, other)

    __hash__ = int.__hash__


class SecurityType(LeanEnum):
    """Kind of instrument."""

    BASE = 0
    EQUITY = 1
    OPTION = 2
    COMMODITY = 3
    FOREX = 4
    FUTURE = 5
    CFD = 6
    CRYPTO = 7
    FUTURE_OPTION = 8
    INDEX = 9
    INDEX_OPTION = 10
    CRYPTO_FUTURE = 11


class Resolution(LeanEnum):
    """Length of a bar."""

    TICK = 0
    SECOND = 1
    MINUTE = 2
    HOUR = 3
    DAILY = 4


class TickType(LeanEnum):
    """What a row of data describes."""

    TRADE = 0
    QUOTE = 1
    OPEN_INTEREST = 2


class OptionRight(LeanEnum):
    """Right of an option."""

    CALL = 0
    PUT = 1


class OptionStyle(LeanEnum):
    """When an option may be exercised."""

    AMERICAN = 0
    EUROPEAN = 1


class SettlementType(LeanEnum):
    """What an exercise delivers."""

    PHYSICAL_DELIVERY = 0
    CASH = 1


class DelistingType(LeanEnum):
    """Stage of a delisting."""

    WARNING = 0
    DELISTED = 1


class SplitType(LeanEnum):
    """Stage of a split."""

    WARNING = 0
    SPLIT_OCCURRED = 1


class DataNormalizationMode(LeanEnum):
    """How past prices are adjusted for splits and dividends."""

    RAW = 0
    ADJUSTED = 1
    SPLIT_ADJUSTED = 2
    TOTAL_RETURN = 3
    FORWARD_PANAMA_CANAL = 4
    BACKWARDS_PANAMA_CANAL = 5
    BACKWARDS_RATIO = 6
    SCALED_RAW = 7


class DataMappingMode(LeanEnum):
    """When a continuous future rolls."""

    LAST_TRADING_DAY = 0
    FIRST_DAY_MONTH = 1
    OPEN_INTEREST = 2
    OPEN_INTEREST_ANNUAL = 3


class AccountType(LeanEnum):
    """Kind of brokerage account."""

    MARGIN = 0
    CASH = 1


class MarketDataType(LeanEnum):
    """Class of a data point."""

    BASE = 0
    TRADE_BAR = 1
    TICK = 2
    AUXILIARY = 3
    QUOTE_BAR = 4
    OPTION_CHAIN = 5
    FUTURES_CHAIN = 6


class OrderType(LeanEnum):
    """Type of an order."""

    MARKET = 0
    LIMIT = 1
    STOP_MARKET = 2
    STOP_LIMIT = 3
    MARKET_ON_OPEN = 4
    MARKET_ON_CLOSE = 5
    OPTION_EXERCISE = 6
    LIMIT_IF_TOUCHED = 7
    COMBO_MARKET = 8
    COMBO_LIMIT = 9
    COMBO_LEG_LIMIT = 10
    TRAILING_STOP = 11


class OrderStatus(LeanEnum):
    """State of an order (there is no 4 in LEAN)."""

    NEW = 0
    SUBMITTED = 1
    PARTIALLY_FILLED = 2
    FILLED = 3
    CANCELED = 5
    NONE = 6
    INVALID = 7
    CANCEL_PENDING = 8
    UPDATE_SUBMITTED = 9

    def is_open(self) -> bool:
        return self._value_ not in (3, 5, 7)

    def is_closed(self) -> bool:
        return self._value_ in (3, 5, 7)

    def is_fill(self) -> bool:
        return self._value_ in (2, 3)


class OrderDirection(LeanEnum):
    """Side of an order."""

    BUY = 0
    SELL = 1
    HOLD = 2


class OrderRequestType(LeanEnum):
    """Kind of a request about an order."""

    SUBMIT = 0
    UPDATE = 1
    CANCEL = 2


class OrderRequestStatus(LeanEnum):
    """State of such a request."""

    UNPROCESSED = 0
    PROCESSING = 1
    PROCESSED = 2
    ERROR = 3


class OrderResponseErrorCode(LeanEnum):
    """Why a request was refused."""

    NONE = 0
    PROCESSING_ERROR = -1
    ORDER_ALREADY_EXISTS = -2
    INSUFFICIENT_BUYING_POWER = -3
    BROKERAGE_MODEL_REFUSED_TO_SUBMIT_ORDER = -4
    BROKERAGE_FAILED_TO_SUBMIT_ORDER = -5
    BROKERAGE_FAILED_TO_UPDATE_ORDER = -6
    BROKERAGE_HANDLER_REFUSED_TO_UPDATE_ORDER = -7
    BROKERAGE_FAILED_TO_CANCEL_ORDER = -8
    INVALID_ORDER_STATUS = -9
    UNABLE_TO_FIND_ORDER = -10
    ORDER_QUANTITY_ZERO = -11
    UNSUPPORTED_REQUEST_TYPE = -12
    PRE_ORDER_CHECKS_ERROR = -13
    MISSING_SECURITY = -14
    EXCHANGE_NOT_OPEN = -15
    SECURITY_PRICE_ZERO = -16
    FOREX_BASE_AND_QUOTE_CURRENCIES_REQUIRED = -17
    FOREX_CONVERSION_RATE_ZERO = -18
    SECURITY_HAS_NO_DATA = -19
    EXCEEDED_MAXIMUM_ORDERS = -20
    MARKET_ON_CLOSE_ORDER_TOO_LATE = -21
    INVALID_REQUEST = -22
    REQUEST_CANCELED = -23
    ALGORITHM_WARMING_UP = -24
    BROKERAGE_MODEL_REFUSED_TO_UPDATE_ORDER = -25
    QUOTE_CURRENCY_REQUIRED = -26
    CONVERSION_RATE_ZERO = -27
    NON_TRADABLE_SECURITY = -28
    NON_EXERCISABLE_SECURITY = -29
    ORDER_QUANTITY_LESS_THAN_LOT_SIZE = -30
    EXCEEDS_SHORTABLE_QUANTITY = -31
    INVALID_NEW_ORDER_STATUS = -32
    EUROPEAN_OPTION_NOT_EXPIRED_ON_EXERCISE = -33
    OPTION_ORDER_ON_STOCK_SPLIT = -34
    MARKET_ON_OPEN_NOT_ALLOWED_DURING_REGULAR_HOURS = -35


class OrderField(LeanEnum):
    """A price field of an order, for `OrderTicket.get`."""

    LIMIT_PRICE = 0
    STOP_PRICE = 1
    TRIGGER_PRICE = 2
    TRAILING_AMOUNT = 3
    TRAILING_AS_PERCENTAGE = 4


class OrderPosition(LeanEnum):
    """Effect of an order on a position."""

    BUY_TO_OPEN = 0
    BUY_TO_CLOSE = 1
    SELL_TO_OPEN = 2
    SELL_TO_CLOSE = 3


class AlgorithmStatus(LeanEnum):
    """State of a running algorithm."""

    DEPLOY_ERROR = 0
    IN_QUEUE = 1
    RUNNING = 2
    STOPPED = 3
    LIQUIDATED = 4
    DELETED = 5
    COMPLETED = 6
    RUNTIME_ERROR = 7
    INVALID = 8
    LOGGING_IN = 9
    INITIALIZING = 10
    HISTORY = 11
    PENDING_INPUT = 12
    IDLE = 13


class AlgorithmMode(LeanEnum):
    """What an algorithm is run for."""

    LIVE = 0
    OPTIMIZATION = 1
    BACKTESTING = 2
    RESEARCH = 3


class DeploymentTarget(LeanEnum):
    """Where an algorithm runs."""

    CLOUD_PLATFORM = 0
    LOCAL_PLATFORM = 1
    PRIVATE_CLOUD_PLATFORM = 2


class BrokerageName(LeanEnum):
    """Brokerage whose rules apply."""

    DEFAULT = 0
    QUANT_CONNECT_BROKERAGE = 0
    INTERACTIVE_BROKERS_BROKERAGE = 2
    TRADIER_BROKERAGE = 3
    OANDA_BROKERAGE = 4
    FXCM_BROKERAGE = 5
    BITFINEX = 6
    BINANCE = 7
    ALPACA = 9
    ALPHA_STREAMS = 10
    ZERODHA = 11
    SAMCO = 12
    ATREYU = 13
    TRADING_TECHNOLOGIES = 14
    KRAKEN = 15
    FTX = 16
    FTXUS = 17
    EXANTE = 18
    BINANCE_US = 19
    WOLVERINE = 20
    TD_AMERITRADE = 21
    BINANCE_FUTURES = 22
    BINANCE_COIN_FUTURES = 23
    RBI = 24
    BYBIT = 25
    EZE = 26
    AXOS = 27
    COINBASE = 28
    TRADE_STATION = 29
    TERMINAL_LINK = 30
    CHARLES_SCHWAB = 31
    TASTYTRADE = 32
    INTERACTIVE_BROKERS_FIX = 33
    DYDX = 34
    WEBULL = 35
    PUBLIC = 36
    BLOOMBERG_FIX = 37
    CLEAR_STREET = 38


class BrokerageMessageType(LeanEnum):
    """Kind of a message from a brokerage."""

    INFORMATION = 0
    WARNING = 1
    ERROR = 2
    RECONNECT = 3
    DISCONNECT = 4
    ACTION_REQUIRED = 5


class PositionSide(LeanEnum):
    """Side of a position."""

    SHORT = -1
    NONE = 0
    LONG = 1


class MarketHoursState(LeanEnum):
    """Phase of a trading day."""

    CLOSED = 0
    PRE_MARKET = 1
    MARKET = 2
    POST_MARKET = 3


class SeriesType(LeanEnum):
    """How a chart series is drawn."""

    LINE = 0
    SCATTER = 1
    CANDLE = 2
    BAR = 3
    FLAG = 4
    STACKED_AREA = 5
    PIE = 6
    TREEMAP = 7
    HEATMAP = 8
    SCATTER_3D = 9


class ScatterMarkerSymbol(LeanEnum):
    """Marker of a scatter series."""

    NONE = 0
    CIRCLE = 1
    SQUARE = 2
    DIAMOND = 3
    TRIANGLE = 4
    TRIANGLE_DOWN = 5


class InsightDirection(LeanEnum):
    """Expected direction of a price."""

    DOWN = -1
    FLAT = 0
    UP = 1


class InsightType(LeanEnum):
    """What an insight predicts."""

    PRICE = 0
    VOLATILITY = 1


class MovingAverageType(LeanEnum):
    """Kind of moving average."""

    SIMPLE = 0
    EXPONENTIAL = 1
    WILDERS = 2
    LINEAR_WEIGHTED_MOVING_AVERAGE = 3
    DOUBLE_EXPONENTIAL = 4
    TRIPLE_EXPONENTIAL = 5
    TRIANGULAR = 6
    T_3 = 7
    KAMA = 8
    HULL = 9
    ALMA = 10
    ZLEMA = 11
    MGD = 12


class OptionPricingModelType(LeanEnum):
    """Model behind an implied volatility or a greek."""

    BLACK_SCHOLES = 0
    BINOMIAL_COX_ROSS_RUBINSTEIN = 1
    FORWARD_TREE = 2
