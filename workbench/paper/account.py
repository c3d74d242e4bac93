"""The paper account: cash, holdings, orders and fills in one SQLite file.

It stands for the broker's side. It keeps what a broker keeps: its own order ids, symbols, signed quantities, types,
prices, fills, cash and holdings, and nothing of LEAN's (no LEAN order id, no tag), so that a restarted algorithm meets
what it would meet at a real broker. Every change is one transaction: a kill leaves the file before or after it.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCHEMA = 1

_TABLES = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS holdings (symbol TEXT PRIMARY KEY, quantity REAL NOT NULL, average_price REAL NOT NULL);
CREATE TABLE IF NOT EXISTS orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    symbol TEXT NOT NULL, quantity REAL NOT NULL, type TEXT NOT NULL,
    limit_price REAL NOT NULL, stop_price REAL NOT NULL, combo INTEGER NOT NULL,
    filled REAL NOT NULL DEFAULT 0, paid REAL NOT NULL DEFAULT 0,
    status TEXT NOT NULL, placed_at REAL NOT NULL, changed_at REAL NOT NULL, source TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS open_orders ON orders (status) WHERE status IN ('open', 'partial');
CREATE TABLE IF NOT EXISTS fills (
    id INTEGER PRIMARY KEY AUTOINCREMENT, order_id INTEGER NOT NULL REFERENCES orders (id),
    at REAL NOT NULL, quantity REAL NOT NULL, price REAL NOT NULL, fee REAL NOT NULL
);
"""

_OPEN = ("open", "partial")


class AccountError(ValueError):
    """The account file cannot be used, or the broker refuses; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class PaperOrder:
    """An order as the broker shows it: signed quantity, unsigned filled, prices in dollars per share (0 = none)."""

    id: int
    symbol: str
    quantity: float
    type: str
    limit: float
    stop: float
    #: orders of one native combo share this number; 0 for a single order
    combo: int
    filled: float
    average_price: float
    #: open, partial, filled, canceled, rejected or expired
    status: str
    #: seconds UTC of the data's time
    placed_at: float
    changed_at: float
    #: who placed it: "algorithm" or "outside"
    source: str


class PaperAccount:
    """One broker account in one file.

    Args:
        path: the SQLite file; made when missing.
        cash: dollars a new account starts with; ignored for an existing one.

    Raises:
        AccountError: the file is no paper account or of a newer schema.
    """

    def __init__(self, path: Path, cash: float = 100_000.0) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        try:
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")  # safe against a killed process; power loss is not simulated
            self._db.executescript(_TABLES)
        except sqlite3.DatabaseError as error:
            raise AccountError(f"{path} is not a paper account ({error}): move it away or name another file") from None
        with self._change():
            known = self._meta("schema")
            if known is None:
                self._set("schema", str(SCHEMA))
                self._set("cash", repr(float(cash)))
            elif int(known) > SCHEMA:
                raise AccountError(f"{path} has schema {known}, this program knows {SCHEMA}: use a newer version")

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """One transaction; an exception leaves the file as it was."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _meta(self, key: str) -> str | None:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def _set(self, key: str, value: str) -> None:
        self._db.execute("INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                         (key, value))  # fmt: skip

    @property
    def cash(self) -> float:
        """Dollars."""
        with self._lock:
            return float(self._meta("cash") or 0.0)

    @property
    def place(self) -> float:
        """The data time that was reached, seconds UTC; 0 for a new account."""
        with self._lock:
            return float(self._meta("place") or 0.0)

    def reach(self, at: float) -> None:
        """Remember the place in the day; a restart goes on there."""
        with self._change():
            self._set("place", repr(float(at)))

    def holdings(self) -> dict[str, tuple[float, float]]:
        """Signed quantity and average price by symbol; flat symbols are absent."""
        with self._lock:
            query = "SELECT symbol, quantity, average_price FROM holdings WHERE quantity != 0"
            rows = self._db.execute(query).fetchall()
        return {str(symbol): (float(quantity), float(price)) for symbol, quantity, price in rows}

    def submit(
        self, symbol: str, quantity: float, type: str, at: float,
        limit: float = 0.0, stop: float = 0.0, combo: int = 0, source: str = "algorithm",
    ) -> int:  # fmt: skip
        """Take an order; answers the broker's id. Raises AccountError for a quantity of 0."""
        if not quantity:
            raise AccountError(f"order of 0 {symbol}: give a quantity")
        with self._change() as db:
            cursor = db.execute(
                "INSERT INTO orders (symbol, quantity, type, limit_price, stop_price, combo, status, placed_at,"
                " changed_at, source) VALUES (?, ?, ?, ?, ?, ?, 'open', ?, ?, ?)",
                (symbol, quantity, type, limit, stop, combo, at, at, source),
            )
            return int(cursor.lastrowid or 0)

    def update(self, order: int, at: float, quantity: float | None = None, limit: float | None = None,
               stop: float | None = None) -> bool:  # fmt: skip
        """Change an open order in place; False when it is not open any more or the quantity is filled already."""
        with self._change() as db:
            row = self._row(order)
            if row.status not in _OPEN or (quantity is not None and abs(quantity) <= row.filled):
                return False
            db.execute(
                "UPDATE orders SET quantity = ?, limit_price = ?, stop_price = ?, changed_at = ? WHERE id = ?",
                (
                    row.quantity if quantity is None else quantity,
                    row.limit if limit is None else limit,
                    row.stop if stop is None else stop,
                    at,
                    order,
                ),
            )
            return True

    def end(self, order: int, status: str, at: float) -> bool:
        """Cancel, reject or expire an open order; False when it was not open."""
        if status not in ("canceled", "rejected", "expired"):
            raise AccountError(f"status {status!r}: use canceled, rejected or expired")
        with self._change() as db:
            cursor = db.execute(
                "UPDATE orders SET status = ?, changed_at = ? WHERE id = ? AND status IN ('open', 'partial')",
                (status, at, order),
            )
            return cursor.rowcount == 1

    def fill(self, order: int, quantity: float, price: float, fee: float, at: float, multiplier: float = 1.0) -> None:
        """Fill `quantity` signed contracts of an order: order, fill, holding and cash change together.

        Raises:
            AccountError: unknown order, or a fill on the other side.
        """
        with self._change() as db:
            row = self._row(order)
            if quantity * row.quantity <= 0:
                raise AccountError(f"order {order} of {row.quantity:g} cannot fill {quantity:g}")
            filled = row.filled + abs(quantity)
            status = "filled" if filled >= abs(row.quantity) else "partial"
            if row.status not in _OPEN and status == "partial":
                status = row.status  # a late fill of an order that ended: the remainder stays ended
            db.execute(
                "UPDATE orders SET filled = ?, paid = paid + ?, status = ?, changed_at = ? WHERE id = ?",
                (filled, abs(quantity) * price, status, at, order),
            )
            db.execute("INSERT INTO fills (order_id, at, quantity, price, fee) VALUES (?, ?, ?, ?, ?)",
                       (order, at, quantity, price, fee))  # fmt: skip
            self._move(row.symbol, quantity, price, fee, multiplier)

    def settle(self, symbol: str, quantity: float, price: float, multiplier: float = 1.0) -> None:
        """Move a holding without an order: expiry, exercise, assignment, a dividend of shares."""
        with self._change():
            self._move(symbol, quantity, price, 0.0, multiplier)

    def _move(self, symbol: str, quantity: float, price: float, fee: float, multiplier: float) -> None:
        row = self._db.execute("SELECT quantity, average_price FROM holdings WHERE symbol = ?", (symbol,)).fetchone()
        held, average = (0.0, 0.0) if row is None else (float(row[0]), float(row[1]))
        now = held + quantity
        if held * quantity >= 0:
            average = (average * held + price * quantity) / now if now else 0.0
        elif held * now < 0:
            average = price  # through zero: the rest was opened at this price
        elif now == 0:
            average = 0.0
        self._db.execute(
            "INSERT INTO holdings VALUES (?, ?, ?) ON CONFLICT (symbol) DO UPDATE SET"
            " quantity = excluded.quantity, average_price = excluded.average_price",
            (symbol, now, average),
        )
        self._set("cash", repr(float(self._meta("cash") or 0.0) - quantity * price * multiplier - fee))

    def _row(self, order: int) -> PaperOrder:
        found = self._orders("WHERE id = ?", (order,))
        if not found:
            raise AccountError(f"no order {order} in this account")
        return found[0]

    def _orders(self, where: str, values: tuple[object, ...] = ()) -> list[PaperOrder]:
        rows = self._db.execute(
            "SELECT id, symbol, quantity, type, limit_price, stop_price, combo, filled,"
            " CASE WHEN filled > 0 THEN paid / filled ELSE 0 END, status, placed_at, changed_at, source"
            f" FROM orders {where} ORDER BY id",
            values,
        ).fetchall()
        return [PaperOrder(*row) for row in rows]

    def order(self, order: int) -> PaperOrder:
        """One order; raises AccountError when the account has none of this id."""
        with self._lock:
            return self._row(order)

    def open_orders(self) -> list[PaperOrder]:
        """Orders that may still fill, oldest first."""
        with self._lock:
            return self._orders("WHERE status IN ('open', 'partial')")

    def orders(self) -> list[PaperOrder]:
        """All orders, oldest first."""
        with self._lock:
            return self._orders("")

    def reissue_ids(self) -> None:
        """Number the open orders anew, as some brokers do after a restart (Interactive Brokers' gateway)."""
        with self._change() as db:
            top = int(db.execute("SELECT COALESCE(MAX(id), 0) FROM orders").fetchone()[0])
            rows = db.execute("SELECT id FROM orders WHERE status IN ('open', 'partial') ORDER BY id DESC").fetchall()
            for offset, (old,) in enumerate(rows, 1):
                db.execute("UPDATE fills SET order_id = ? WHERE order_id = ?", (top + offset, old))
                db.execute("UPDATE orders SET id = ? WHERE id = ?", (top + offset, old))

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()
