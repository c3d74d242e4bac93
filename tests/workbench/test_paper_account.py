"""The paper account: what a broker keeps, whole after a kill."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.paper.account import AccountError, PaperAccount

CALL = "GOOCV WIQRN9T8L3JA|GOOCV VP83T1ZUHROL"


@pytest.fixture
def account(tmp_path):
    account = PaperAccount(tmp_path / "account.sqlite")
    yield account
    account.close()


def test_a_fill_moves_order_holding_and_cash_together(account):
    """Two of five contracts at 1.50: the order is partial, the holding 2, the cash less by price and fee."""
    order = account.submit(CALL, 5, "limit", 10.0, limit=1.6)
    account.fill(order, 2, 1.5, 1.3, 11.0, multiplier=100)

    assert account.order(order).status == "partial"
    assert account.holdings() == {CALL: (2.0, 1.5)}
    assert account.cash == pytest.approx(100_000 - 300 - 1.3)


def test_what_was_open_is_open_after_a_restart_with_the_brokers_ids(tmp_path):
    """Orders, place and holdings outlive the process; nothing of LEAN's is kept."""
    first = PaperAccount(tmp_path / "a.sqlite", cash=5_000)
    order = first.submit(CALL, -1, "limit", 10.0, limit=2.0)
    first.reach(77.0)
    first.close()
    second = PaperAccount(tmp_path / "a.sqlite", cash=9_999)

    assert [(o.id, o.symbol, o.quantity, o.limit) for o in second.open_orders()] == [(order, CALL, -1.0, 2.0)]
    assert (second.cash, second.place) == (5_000.0, 77.0)
    second.close()


def test_a_cancelled_order_that_fills_late_stays_ended_for_its_rest(account):
    """Fill beats cancel: the fill counts, the remainder does not work again."""
    order = account.submit(CALL, 5, "limit", 1.0, limit=1.0)
    assert account.end(order, "canceled", 2.0)
    account.fill(order, 3, 1.0, 0.0, 3.0, multiplier=100)

    assert account.order(order).status == "canceled"
    assert account.open_orders() == []
    assert account.holdings()[CALL][0] == 3.0


def test_an_order_that_ended_takes_no_update_and_no_second_end(account):
    """Cancel and update of an ended order are answered with False."""
    order = account.submit(CALL, 1, "limit", 1.0, limit=1.0)
    account.end(order, "canceled", 2.0)

    assert not account.end(order, "expired", 3.0)
    assert not account.update(order, 3.0, limit=2.0)


@pytest.mark.parametrize(
    "call",
    [
        lambda a: a.submit(CALL, 0, "market", 1.0),
        lambda a: a.order(99),
        lambda a: a.fill(a.submit(CALL, 1, "market", 1.0), -1, 1.0, 0.0, 1.0),
        lambda a: a.end(a.submit(CALL, 1, "market", 1.0), "lost", 1.0),
    ],
)
def test_wrong_use_is_refused_and_changes_nothing(account, call):
    """Each wrong call raises with the value and leaves cash and holdings alone."""
    with pytest.raises(AccountError):
        call(account)
    assert (account.cash, account.holdings()) == (100_000.0, {})


def test_a_file_that_is_no_account_is_named(tmp_path):
    """A foreign file is refused by name and left alone."""
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to be looked at" * 40)

    with pytest.raises(AccountError, match=r"notes\.txt is not a paper account"):
        PaperAccount(path)
    assert path.read_text().startswith("not a database")


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-5, 5).filter(bool), st.integers(1, 400)), max_size=30))
def test_cash_and_holdings_are_conserved(tmp_path_factory, trades):
    """After any trades cash equals the start minus what was paid, and the holding is their sum."""
    account = PaperAccount(tmp_path_factory.mktemp("a") / "a.sqlite")
    for quantity, cents in trades:
        account.fill(account.submit(CALL, quantity, "market", 1.0), quantity, cents / 100, 0.5, 1.0, multiplier=100)
    net = sum(q for q, _ in trades)

    assert account.holdings().get(CALL, (0.0, 0.0))[0] == net
    assert account.cash == pytest.approx(100_000 - sum(q * c for q, c in trades) - 0.5 * len(trades))
    account.close()


def _trade_forever(path: str) -> None:
    account = PaperAccount(Path(path))
    while True:
        account.fill(account.submit(CALL, 1, "market", 1.0), 1, 1.0, 0.0, 1.0, multiplier=100)


def test_a_kill_leaves_a_whole_account(tmp_path):
    """Killed at any moment, every fill in the file has moved cash and holding."""
    path = tmp_path / "a.sqlite"
    context = multiprocessing.get_context("spawn")
    before = 0.0
    for more in (3, 7, 20):
        worker = context.Process(target=_trade_forever, args=(str(path),))
        worker.start()
        watch = PaperAccount(path)
        while len(watch.orders()) < before + more and worker.is_alive():
            worker.join(0.005)
        watch.close()
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
        account = PaperAccount(path)
        filled = before = sum(o.filled for o in account.orders())

        assert account.holdings().get(CALL, (0.0, 0.0))[0] == filled
        assert account.cash == pytest.approx(100_000 - 100 * filled)
        account.close()
    assert filled > 0
