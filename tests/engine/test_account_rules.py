"""Margin calls, buying power and the end of contracts in whole runs over LEAN's sample data."""

from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest

from workbench.engine.run import run_backtest

HEAD = """
from AlgorithmImports import *

class OnlyThree(BuyingPowerModel):
    def has_sufficient_buying_power_for_order(self, parameters):
        return HasSufficientBuyingPowerForOrderResult(abs(parameters.order.quantity) <= 3, "three at most")

class TooMuch(BuyingPowerModel):
    def get_maintenance_margin(self, parameters):
        return 0

class Probe(QCAlgorithm):
    def initialize(self):
        self.set_start_date(2015, 12, 24)
        self.set_end_date(2015, 12, 24)
        self.set_benchmark(lambda _: 1)
        self.seen = []
        self.goog = self.add_equity("GOOG", Resolution.MINUTE).symbol
        self.set_up()
        self.schedule.on(self.date_rules.on(2015, 12, 24), self.time_rules.at(10, 0), self.act)

    def option(self, strike, right):
        day = datetime(2015, 12, 24)
        symbol = Symbol.create_option(self.goog, Market.USA, OptionStyle.AMERICAN, right, strike, day)
        return self.add_option_contract(symbol, Resolution.MINUTE).symbol

    def on_margin_call_warning(self):
        self.seen.append("warning")

    def on_margin_call(self, requests):
        self.seen.append([(r.symbol.value, r.quantity, str(r.order_type)) for r in requests])
        return requests

    def on_order_event(self, event):
        self.seen.append((str(event.status), event.fill_quantity, event.message, event.ticket.tag))

    def set_up(self):
        pass
"""


def run(tmp_path: Path, data: Path, body: str) -> Any:
    main = tmp_path / "probe.py"
    main.write_text(HEAD + indent(dedent(body), "    "))
    return run_backtest(main, data=data, store=tmp_path / "store")


def seen(tmp_path: Path, data: Path, body: str) -> list[Any]:
    result = run(tmp_path, data, body)
    assert result.status == "completed", result.error
    return list(result.algorithm.seen)


STRADDLE = """
    def set_up(self):
        self.set_cash(15_400)
        self.call, self.put = self.option(745, OptionRight.CALL), self.option(745, OptionRight.PUT)
        {model}

    def act(self):
        for symbol in (self.put, self.call):
            self.market_order(symbol, -1)
"""


def test_a_margin_call_closes_the_group_as_one_combo(tmp_path: Path, lean_data: Path) -> None:
    """Short of margin by more than the buffer: the straddle is bought back whole, the algorithm is told first."""
    model = "self.portfolio.set_margin_call_model(DefaultMarginCallModel(self.portfolio, None, 0.0))"
    found = seen(tmp_path, lean_data, STRADDLE.format(model=model))[4:]
    assert found[0] == [
        ("GOOG  151224C00745000", 1.0, "COMBO_MARKET"),
        ("GOOG  151224P00745000", 1.0, "COMBO_MARKET"),
    ]
    assert [(status, quantity, tag) for status, quantity, _, tag in found[1:]] == [
        ("SUBMITTED", 0.0, "Margin Call"),
        ("SUBMITTED", 0.0, "Margin Call"),
        ("FILLED", 1.0, "Margin Call"),
        ("FILLED", 1.0, "Margin Call"),
    ]


def test_within_the_buffer_there_is_neither_call_nor_warning(tmp_path: Path, lean_data: Path) -> None:
    """LEAN's oddity: with no margin left but within the 10 % buffer nothing is said; with a little left it warns."""
    found = seen(tmp_path, lean_data, STRADDLE.format(model=""))
    assert found[4:] == ["warning"]
    model = "self.portfolio.set_margin_call_model(MarginCallModel.NULL)"
    assert seen(tmp_path, lean_data, STRADDLE.format(model=model))[4:] == []


def test_margin_calls_reduce_shares_by_what_is_missing(tmp_path: Path, lean_data: Path) -> None:
    """Of 40 shares as many are sold as bring the margin back."""
    body = """
        def set_up(self):
            self.set_cash(14_955)
            self.portfolio.set_margin_call_model(DefaultMarginCallModel(self.portfolio, None, -0.01))

        def act(self):
            self.market_order(self.goog, 40)
            self.seen.append(round(self.portfolio.margin_remaining, 2))
    """
    found = seen(tmp_path, lean_data, body)
    assert found[2] == -8.6
    calls = [entry for entry in found if isinstance(entry, list)]
    assert all(call == [("GOOG", call[0][1], "MARKET")] and -3 <= call[0][1] < 0 for call in calls)


def test_buying_power_of_a_symbol_by_direction(tmp_path: Path, lean_data: Path) -> None:
    """An order against the holding may use what it reserves, twice over; one with it only what is free."""
    body = """
        def act(self):
            self.market_order(self.goog, 40)
            free, used = self.portfolio.margin_remaining, self.portfolio.total_margin_used
            buy = self.portfolio.get_buying_power(self.goog, OrderDirection.BUY)
            sell = self.portfolio.get_margin_remaining(self.goog, OrderDirection.SELL)
            self.seen.append((round(buy - free, 6), round(sell - free - 2 * used, 6), used > 0))
    """
    assert seen(tmp_path, lean_data, body)[-1] == (0.0, 0.0, True)


def test_a_buying_power_model_of_ones_own_is_asked(tmp_path: Path, lean_data: Path) -> None:
    """Its answer decides for shares, and its reason stands in the event."""
    body = """
        def set_up(self):
            self.securities[self.goog].set_buying_power_model(OnlyThree())

        def act(self):
            self.market_order(self.goog, 3)
            self.market_order(self.goog, 4)
    """
    found = seen(tmp_path, lean_data, body)
    assert [entry[0] for entry in found] == ["SUBMITTED", "FILLED", "INVALID"]
    assert "Reason: three at most" in found[-1][2]


def test_a_model_whose_answers_would_not_be_asked_is_refused(tmp_path: Path, lean_data: Path) -> None:
    """Overriding margins is not supported: the order is stopped with the member's name, not computed wrongly."""
    body = """
        def set_up(self):
            self.securities[self.goog].set_buying_power_model(TooMuch())

        def act(self):
            self.market_order(self.goog, 3)
    """
    result = run(tmp_path, lean_data, body)
    said = f"{result.error} {result.log} {getattr(result.algorithm, 'seen', '')}"
    assert "TooMuch.get_maintenance_margin" in said
    assert not [event for event in result.order_events if "FILLED" in str(event)]


def test_without_position_groups_each_leg_is_margined_alone(tmp_path: Path, lean_data: Path) -> None:
    """`SecurityPositionGroupModel.NULL`: the wing does not help the short."""
    body = """
        def set_up(self):
            self.wing, self.short = self.option(755, OptionRight.CALL), self.option(752.5, OptionRight.CALL)
            {groups}

        def act(self):
            self.market_order(self.wing, 1)
            self.market_order(self.short, -1)
            self.seen.append(self.portfolio.total_margin_used)
    """
    alone = "self.portfolio.set_positions(SecurityPositionGroupModel.NULL)"
    assert seen(tmp_path, lean_data, body.format(groups=""))[-1] == 250.0
    assert seen(tmp_path, lean_data, body.format(groups=alone))[-1] > 14_000


def test_cash_accounts_are_named_as_not_simulated(tmp_path: Path, lean_data: Path) -> None:
    """A cash account would settle later on LEAN; here it is refused with the way out."""
    body = """
        def set_up(self):
            self.set_brokerage_model(BrokerageName.DEFAULT, AccountType.CASH)

        def act(self):
            pass
    """
    result = run(tmp_path, lean_data, body)
    assert result.status == "runtime_error"
    assert "AccountType.CASH" in result.error


@pytest.mark.parametrize("right", ["CALL", "PUT"])
def test_an_exercise_delivers_shares_at_the_strike(tmp_path: Path, lean_data: Path, right: str) -> None:
    """Exercised in the money: the contract goes at 0, a hundred shares come or go at the strike, nothing is charged."""
    body = f"""
        def set_up(self):
            self.owned = self.option({650 if right == "CALL" else 850}, OptionRight.{right})

        def act(self):
            self.market_order(self.owned, 1)
            self.exercise_option(self.owned, 1)
            shares = self.portfolio[self.goog]
            self.seen.append((shares.quantity, shares.average_price, self.portfolio[self.owned].quantity))
    """
    found = seen(tmp_path, lean_data, body)
    assert found[-1] == ((100.0, 650.0, 0.0) if right == "CALL" else (-100.0, 850.0, 0.0))
    assert found[3][2].startswith("Automatic Exercise. Underlying: 74")
    assert found[4][2] == "Option Exercise"
