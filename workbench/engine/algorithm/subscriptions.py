"""Subscribing to data and asking for it (QCAlgorithm.cs AddEquity..., QCAlgorithm.History.cs)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.engine.enums import DataNormalizationMode, Resolution, SecurityType
from workbench.engine.exceptions import ArgumentException, InvalidOperationException, unsupported
from workbench.engine.options import Option
from workbench.engine.securities import Security
from workbench.engine.symbols import Symbol, SymbolCache

if TYPE_CHECKING:
    from workbench.engine.runtime import Engine


class Subscriptions:
    """Securities of the algorithm."""

    _engine: Engine

    def add_equity(self, ticker: str, resolution: Resolution | None = None, market: str | None = None,
                   fill_forward: bool = True, leverage: float = 0.0, extended_market_hours: bool = False,
                   data_normalization_mode: DataNormalizationMode | None = None) -> Security:
        """Subscribe a stock; prices are adjusted unless options on it are subscribed too."""
        symbol = Symbol.create(ticker, SecurityType.EQUITY, market or "usa")
        return self._engine.add_security(symbol, resolution, fill_forward=fill_forward, leverage=leverage,
                                         extended_market_hours=extended_market_hours,
                                         normalization=data_normalization_mode, ticker=ticker)

    def add_index(self, ticker: str, resolution: Resolution | None = None, market: str = "usa",
                  fill_forward: bool = True) -> Security:
        """Subscribe an index."""
        symbol = Symbol.create(ticker, SecurityType.INDEX, market)
        return self._engine.add_security(symbol, resolution, fill_forward=fill_forward, ticker=ticker)

    def add_option(self, underlying: Any, resolution: Resolution | None = None, market: str | None = None,
                   fill_forward: bool = True, leverage: float = 0.0, extended_market_hours: bool = False,
                   **kwargs: Any) -> Option:
        """Subscribe the chain of a stock or index; `set_filter` chooses its contracts."""
        if isinstance(underlying, str):
            known = Symbol.create(underlying, SecurityType.EQUITY, market or "usa")
        else:
            known = self._engine.symbol_of(underlying)
        canonical = Symbol.create_canonical_option(known)
        return self._engine.add_chain(canonical, resolution, fill_forward=fill_forward, leverage=leverage,
                                      extended_market_hours=extended_market_hours)

    def add_index_option(self, underlying: Any, *args: Any, **kwargs: Any) -> Option:
        """`add_index_option(underlying, [target_option,] resolution=None, market="usa", fill_forward=True)`."""
        names = ["resolution", "market", "fill_forward"]
        if args and isinstance(args[0], str):
            names.insert(0, "target_option")
        values = dict(zip(names, args, strict=False)) | kwargs
        market = values.get("market") or "usa"
        known = (Symbol.create(underlying, SecurityType.INDEX, market) if isinstance(underlying, str)
                 else self._engine.symbol_of(underlying))
        target = values.get("target_option")
        canonical = (Symbol.create_canonical_option(known, target, market) if target
                     else Symbol.create_canonical_option(known))
        return self._engine.add_chain(canonical, values.get("resolution"),
                                      fill_forward=values.get("fill_forward", True))

    def add_option_contract(self, symbol: Symbol, resolution: Resolution | None = None, fill_forward: bool = True,
                            leverage: float = 0.0, extended_market_hours: bool = False) -> Option:
        """Subscribe one contract, and its underlying if it is not subscribed yet."""
        symbol = self._engine.symbol_of(symbol)
        if symbol.security_type not in (SecurityType.OPTION, SecurityType.INDEX_OPTION):
            raise ArgumentException(f"Unexpected option symbol {symbol}. Please provide a valid option contract with "
                                    "it's underlying symbol set.")
        return self._engine.add_contract(symbol, resolution, fill_forward=fill_forward, leverage=leverage,
                                         extended_market_hours=extended_market_hours)

    def add_index_option_contract(self, symbol: Symbol, resolution: Resolution | None = None,
                                  fill_forward: bool = True) -> Option:
        """Subscribe one index option contract."""
        symbol = self._engine.symbol_of(symbol)
        if symbol.security_type != SecurityType.INDEX_OPTION:
            raise ArgumentException("Symbol provided must be of type INDEX_OPTION")
        return self._engine.add_contract(symbol, resolution, fill_forward=fill_forward)

    def add_security(self, *args: Any, **kwargs: Any) -> Security:
        """`add_security(symbol, resolution=None)` or `add_security(security_type, ticker, resolution=None)`."""
        values = list(args)
        if values and isinstance(values[0], SecurityType):
            kind, ticker, *rest = values
            if kind == SecurityType.EQUITY:
                return self.add_equity(ticker, *rest, **kwargs)
            if kind == SecurityType.INDEX:
                return self.add_index(ticker, *rest, **kwargs)
            raise unsupported(f"add_security(SecurityType.{kind.name}, ...)")
        symbol = self._engine.symbol_of(values[0])
        resolution = kwargs.pop("resolution", values[1] if len(values) > 1 else None)
        return self._engine.add_any(symbol, resolution, **kwargs)

    def remove_security(self, symbol: Any) -> bool:
        """Liquidate, cancel and unsubscribe."""
        return self._engine.remove_security(self._engine.symbol_of(symbol))

    def remove_option_contract(self, symbol: Any) -> None:
        """Liquidate, cancel and unsubscribe a contract."""
        self._engine.remove_security(self._engine.symbol_of(symbol))

    def symbol(self, ticker: str) -> Symbol:
        """The symbol of a ticker or of an identifier's text."""
        return SymbolCache.get_symbol(ticker)

    def ticker(self, symbol: Symbol) -> str:
        """The ticker of a symbol."""
        return SymbolCache.get_ticker(symbol)

    # -- asking for data ------------------------------------------------------------------------------------------

    def option_chain(self, symbol: Any, flatten: bool = False) -> Any:
        """The chain of the last trading day's universe file."""
        return self._engine.option_chain(self._engine.symbol_of(symbol), flatten)

    def option_chains(self, symbols: Any, flatten: bool = False) -> Any:
        """Chains of several symbols."""
        return {s: self.option_chain(s, flatten) for s in symbols}

    @property
    def option_chain_provider(self) -> Any:
        return self._engine.option_chain_provider

    def history(self, *args: Any, **kwargs: Any) -> Any:
        """Past bars as a DataFrame, or as bars when the first argument is a bar type."""
        return self._engine.history(*args, **kwargs)

    def set_benchmark(self, *args: Any) -> None:
        """Keep the benchmark; it does not influence a run."""
        if self._engine.locked:
            raise InvalidOperationException("Algorithm.SetBenchmark(): Cannot change Benchmark after algorithm "
                                            "initialized.")
        self._engine.benchmark = args[-1]
