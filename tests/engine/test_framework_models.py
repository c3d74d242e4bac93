"""Alpha, construction, risk, execution: called in LEAN's order with LEAN's hand-overs."""

from __future__ import annotations

from typing import Any

START = """
def initialize(self):
    self.set_start_date(2024, 3, 4)
    self.set_end_date(2024, 3, 4)
    self.set_benchmark(lambda _: 1)
    symbol = self.symbol_ = self.add_equity("ABC", Resolution.MINUTE).symbol

    class Views(AlphaModel):
        def update(self, algorithm, data):
            if (algorithm.time.hour, algorithm.time.minute) != (9, 35):
                return []
            until = algorithm.time.replace(minute=45)
            return Insight.group([Insight.price(symbol, until, InsightDirection.UP)])

    class Ten(PortfolioConstructionModel):
        def create_targets(self, algorithm, insights):
            found = [PortfolioTarget(i.symbol, 10 * int(i.direction)) for i in insights]
            for gone in algorithm.insights.remove_expired_insights(algorithm.utc_time):
                found.append(PortfolioTarget(gone.symbol, 0))
            return found

    class Three(RiskManagementModel):
        def manage_risk(self, algorithm, targets):
            return [PortfolioTarget(t.symbol, 3) for t in targets if t.quantity]
"""


def fills(result: Any) -> list[tuple[float, str]]:
    assert result.status == "completed", result.error
    return [(e["fill_quantity"], str(e["time"])[11:16]) for e in result.order_events if e["fill_quantity"]]


def test_insights_become_targets_and_expire(run_lines: Any) -> None:
    """An insight buys its target at once; the first step after its close time sells it."""
    result = run_lines(START + """
    self.set_alpha(Views())
    self.set_portfolio_construction(Ten())
""")
    assert [quantity for quantity, _ in fills(result)] == [10, -10]
    bought, sold = (int(clock[3:]) for _, clock in fills(result))
    assert sold - bought == 11, "closed at 45, over a minute later: IsExpired asks for a later time (Insight.cs)"


def test_the_risk_models_word_comes_before_the_constructions(run_lines: Any) -> None:
    """Of two targets for a symbol execution gets the risk model's."""
    result = run_lines(START + """
    self.set_alpha(Views())
    self.set_portfolio_construction(Ten())
    self.set_risk_management(Three())
""")
    assert [quantity for quantity, _ in fills(result)] == [3, -3]


def test_emitted_insights_are_processed_at_once(run_lines: Any) -> None:
    """`emit_insights` goes the same way without an alpha model; an insight belongs to one group only."""
    result = run_lines(START + """
    self.set_portfolio_construction(Ten())

def on_data(self, data):
    if self.time.minute == 40 and self.time.hour == 9:
        made = Insight.price(self.symbol_, self.time.replace(minute=50), InsightDirection.DOWN)
        Insight.group(made)
        try:
            Insight.group(made)
        except Exception as error:
            self.log(str(error))
        self.emit_insights(made)
        assert self.insights.has_active_insights(self.symbol_, self.utc_time)
        assert self.portfolio[self.symbol_].quantity == -10
""")
    assert [quantity for quantity, _ in fills(result)] == [-10, 10]
    assert any("already been assigned to a group" in text for _, text in result.log)


def test_a_close_time_in_the_past_ends_the_run(run_lines: Any) -> None:
    """As on LEAN, where the exception reaches the run."""
    result = run_lines(START + """
    self.set_portfolio_construction(Ten())

def on_data(self, data):
    self.emit_insights(Insight.price(self.symbol_, self.time.replace(hour=9, minute=30), InsightDirection.UP))
""")
    assert result.status == "runtime_error"
    assert "must not be in the past" in result.error


def test_weighing_in_per_cent_is_named_as_missing(run_lines: Any) -> None:
    """A construction without `create_targets` says what is not supported."""
    result = run_lines(START + """
    self.set_portfolio_construction(PortfolioConstructionModel())
""")
    assert "create_targets" in result.error
