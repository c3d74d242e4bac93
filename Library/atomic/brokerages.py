"""What each of LEAN's brokerage models takes: combos, order types for options, updates.

Read from LEAN's own models (Common/Brokerages/*BrokerageModel.cs at 24863901, 2026-08-21; facts LEAN 2.5) and pinned
by recordings for seven of them (trace p14). A model that is not in the table is taken to accept plain market and
limit orders only: independent legs are always possible, a combo that is refused costs nothing but time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What one brokerage model accepts.

    Attributes:
        model: LEAN's class name.
        options: the model trades equity options at all.
        market: option market orders.
        limit: option limit orders.
        stop: option stop-market and stop-limit orders.
        trailing: equity trailing-stop orders.
        combo_market: native combos at market.
        combo_limit: native combos with a net limit.
        leg_limit_legs: most legs of a native combo with a limit per leg; 0 for none.
        crosses_zero: a combo may turn a long into a short position.
        day_sells: option sales must be day orders.
        updates: orders can be updated in place at all.
        updates_quantity: an order's quantity can be updated in place.
        reserves_quantity: the broker accepts one closing order per position (not a rule of LEAN's model but of the
            broker: a second one is refused because the shares are held for the first).
        note: what else to know.
    """

    model: str
    options: bool = True
    market: bool = True
    limit: bool = True
    stop: bool = True
    trailing: bool = False
    combo_market: bool = False
    combo_limit: bool = False
    leg_limit_legs: int = 0
    crosses_zero: bool = True
    day_sells: bool = False
    updates: bool = True
    updates_quantity: bool = True
    reserves_quantity: bool = False
    note: str = ""

    def takes_combo(self, legs: int, limit: bool) -> bool:
        """True when a native combo of this many legs is taken, at market or with a net limit."""
        return legs >= 2 and (self.combo_limit if limit else self.combo_market)


#: no limit known
_ANY = 1 << 30

_ALL = (
    Capabilities("DefaultBrokerageModel", trailing=True, combo_market=True, combo_limit=True, leg_limit_legs=_ANY,
                 note="backtests and paper; combo limits fill at each leg's best price of the bar"),
    Capabilities("AlphaStreamsBrokerageModel", trailing=True, combo_market=True, combo_limit=True, leg_limit_legs=_ANY),
    Capabilities("InteractiveBrokersBrokerageModel", trailing=True, combo_market=True, combo_limit=True,
                 leg_limit_legs=3, note="fills of a combo are buffered up to 30 s"),
    Capabilities("InteractiveBrokersFixModel", trailing=True, combo_market=True, combo_limit=True),
    Capabilities("TradeStationBrokerageModel", trailing=True, combo_market=True, combo_limit=True, crosses_zero=False,
                 note="no new quantity for combos; a combo's cancel is sent when every leg was cancelled"),
    Capabilities("CharlesSchwabBrokerageModel", combo_market=True, combo_limit=True),
    Capabilities("TastytradeBrokerageModel", combo_limit=True, crosses_zero=False),
    Capabilities("PublicBrokerageModel", combo_limit=True, note="no updates of combos"),
    Capabilities("AlpacaBrokerageModel", stop=False, trailing=True, reserves_quantity=True),
    Capabilities("WebullBrokerageModel", trailing=True, day_sells=True),
    Capabilities("TradierBrokerageModel", day_sells=True, updates_quantity=False,
                 note="short sales must be day orders, of securities above 5 dollars"),
    Capabilities("EzeBrokerageModel"),
    Capabilities("TerminalLinkBrokerageModel", updates=False, updates_quantity=False),
    Capabilities("BloombergFixBrokerageModel", updates=False, updates_quantity=False),
    Capabilities("WolverineBrokerageModel", updates=False, updates_quantity=False),
    Capabilities("AxosClearingBrokerageModel", stop=False),
    Capabilities("SamcoBrokerageModel", note="stop-market but no stop-limit orders"),
    Capabilities("ExanteBrokerageModel", market=False, note="refuses orders whose price is 0: market and combo orders"),
    *(
        Capabilities(f"{name}BrokerageModel", options=False)
        for name in ("TDAmeritrade", "RBI", "Zerodha", "TradingTechnologies", "Fxcm", "Oanda", "Bitfinex", "Binance",
                     "BinanceUS", "BinanceFutures", "BinanceCoinFutures", "GDAX", "Coinbase", "Kraken", "FTX", "FTXUS",
                     "Bybit", "dYdX")
    ),
)  # fmt: skip

#: by LEAN's class name
TABLE: dict[str, Capabilities] = {row.model: row for row in _ALL}

#: LEAN's BrokerageName members (upper case) whose class has another stem
_NAMES = {
    "INTERACTIVEBROKERSBROKERAGE": "InteractiveBrokersBrokerageModel",
    "INTERACTIVEBROKERSFIX": "InteractiveBrokersFixModel",
    "TRADIERBROKERAGE": "TradierBrokerageModel",
    "AXOS": "AxosClearingBrokerageModel",
    "FXCMBROKERAGE": "FxcmBrokerageModel",
    "OANDABROKERAGE": "OandaBrokerageModel",
    "QUANTCONNECTBROKERAGE": "DefaultBrokerageModel",
    "PAPERBROKERAGE": "DefaultBrokerageModel",
} | {name.removesuffix("BrokerageModel").upper(): name for name in TABLE}

#: what LEAN makes of a brokerage model written in Python (QCAlgorithm.Python.cs:1399)
_WRAPPER = "BrokerageModelPythonWrapper"

UNKNOWN = Capabilities("unknown", stop=False, note="not in the table: plain market and limit orders are assumed")


def capabilities_of(model: Any) -> Capabilities:
    """Capabilities of a brokerage model object, its class name, or a `BrokerageName` member or text.

    A Python subclass of a LEAN model (such as a fault model of the testing kit) has the capabilities of the LEAN
    model nearest in its ancestry; LEAN shows it in a wrapper (BrokerageModelPythonWrapper). Anything else is `UNKNOWN`.
    """
    if isinstance(model, str):
        return _by_name(model)
    if type(model).__name__ == _WRAPPER:
        model = getattr(model, "instance", model)  # protected in C#, which does not hide it from Python
    for cls in type(model).__mro__:
        found = TABLE.get(cls.__name__)
        if found is not None:
            return found
    return _by_name(str(getattr(model, "name", "") or model))


def _by_name(text: str) -> Capabilities:
    found = TABLE.get(text)
    if found is not None:
        return found
    key = text.rpartition(".")[2].replace("_", "").upper().removesuffix("BROKERAGEMODEL")
    return TABLE.get(_NAMES.get(key, ""), UNKNOWN)
