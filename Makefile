# make run    set up once, generate sample data once, run the iron condor
# make test   set up once, run the tests
# Any Python from 3.11 on will do: make run PYTHON=/path/to/python3

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3.14 python3,$(shell command -v $(name) 2>/dev/null)))
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.PHONY: run test setup lint types clean
.DELETE_ON_ERROR:

run: $(VENV)/.installed
	@if [ -z "$$(ls -A data 2>/dev/null)" ]; then $(BIN)/atomic data generate; fi
	@$(BIN)/atomic backtest algorithms/iron_condor

test: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest -q -n 2

setup: $(VENV)/.installed-dev

lint: $(VENV)/.installed-dev
	@$(BIN)/ruff check

types: $(VENV)/.installed-dev
	@$(BIN)/mypy Library workbench algorithms

$(BIN)/python:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo 'Python 3.11 or newer is needed: make run PYTHON=/path/to/python3' >&2; exit 1; }
	@"$(PYTHON)" -m venv $(VENV) || \
	  { echo 'no virtual environment could be made: install the venv package of your Python (python3-venv)' >&2; exit 1; }

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo 'installing into $(VENV), once ...'
	@$(PIP) -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	@echo 'installing into $(VENV), with the tools for tests, once ...'
	@$(PIP) -e '.[dev]'
	@touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .benchmarks
