"""Why an order was refused, read from what LEAN or the broker said.

LEAN gives a response code where it refuses itself (Common/Orders/OrderResponseErrorCode.cs) and free text where a
brokerage model or a broker refuses. The texts are matched by words that do not depend on the brokerage; what is not
recognised is UNKNOWN, which is retried like a temporary refusal and never taken for a lack of capability.
"""

from __future__ import annotations

from .vocabulary import RejectReason

_R = RejectReason

#: LEAN's response code -> reason (Common/Orders/OrderResponseErrorCode.cs)
CODES: dict[int, RejectReason] = {
    -3: _R.MARGIN,  # InsufficientBuyingPower
    -4: _R.CAPABILITY,  # BrokerageModelRefusedToSubmitOrder; the text may say more
    -5: _R.UNKNOWN,  # BrokerageFailedToSubmitOrder
    -11: _R.PRICE,  # OrderQuantityZero
    -12: _R.CAPABILITY,  # UnsupportedRequestType
    -14: _R.INSTRUMENT,  # MissingSecurity
    -15: _R.SESSION,  # ExchangeNotOpen
    -16: _R.PRICE,  # SecurityPriceZero
    -17: _R.INSTRUMENT,  # ForexBaseAndQuoteCurrenciesRequired
    -18: _R.INSTRUMENT,  # ForexConversionRateZero
    -19: _R.PRICE,  # SecurityHasNoData
    -20: _R.RATE,  # ExceededMaximumOrders
    -21: _R.SESSION,  # MarketOnCloseOrderTooLate
    -24: _R.SESSION,  # AlgorithmWarmingUp
    -26: _R.INSTRUMENT,  # QuoteCurrencyRequired
    -27: _R.INSTRUMENT,  # ConversionRateZero
    -28: _R.INSTRUMENT,  # NonTradableSecurity
    -29: _R.INSTRUMENT,  # NonExercisableSecurity
    -30: _R.PRICE,  # OrderQuantityLessThanLotSize
    -33: _R.SESSION,  # EuropeanOptionNotExpiredOnExercise
    -34: _R.SESSION,  # OptionOrderOnStockSplit
    -35: _R.SESSION,  # MarketOnOpenNotAllowedDuringRegularHours
}

#: (words, reason): the first row of which one word stands in the text decides
WORDS: tuple[tuple[tuple[str, ...], RejectReason], ...] = (
    (("insufficient buying power", "insufficient margin", "insufficient fund", "insufficient balance",
      "margin requirement", "buying power", "exceeds available", "not enough"), _R.MARGIN),
    (("reserved", "held for orders", "already have an order", "cover order", "closing order exists",
      "exceeds your position", "potential overfill"), _R.RESERVED),
    (("rate limit", "too many requests", "throttl", "pacing violation", "max rate"), _R.RATE),
    (("market is closed", "exchange is closed", "market closed", "outside regular", "not open", "after hours",
      "trading is halted", "halted"), _R.SESSION),
    (("does not support", "notsupported", "not supported", "unsupported", "orderisgtc", "cannot place",
      "not allowed for", "only supports", "not permitted"), _R.CAPABILITY),
    (("minimum price variation", "price increment", "tick size", "invalid price", "limit price", "does not conform",
      "price is zero", "securitypricezero", "no price"), _R.PRICE),
    (("expired contract", "delisted", "unknown contract", "no security definition", "not tradable", "not found",
      "invalid symbol", "invalid instrument"), _R.INSTRUMENT),
)  # fmt: skip


def classify_reject(message: str, code: int = 0) -> RejectReason:
    """The reason behind a refusal.

    Args:
        message: what LEAN, the brokerage model or the broker said.
        code: LEAN's response code when there is one (negative), else 0.
    """
    text = message.lower()
    for words, reason in WORDS:
        if any(word in text for word in words):
            return reason
    if code == -4 and "declared unable to submit" in text:
        return _R.UNKNOWN  # a brokerage model that gives its own reason, in words we do not know
    return CODES.get(code, _R.UNKNOWN)
