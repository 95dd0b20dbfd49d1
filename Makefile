# make run   a first run on Ray, with nothing else installed but Python >= 3.11 and make
# make test  every gate: lint, types, import contracts, tests
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
SET    ?= configs/scenario_sets/quickstart.json

.DEFAULT_GOAL := help
.PHONY: help install run test soak mutants faults lint bench bench-growth bench-docs clean

help:
	@sed -n 's/^# //p' Makefile

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("finiex_ray needs Python 3.11 or newer; set PYTHON=...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $(STAMP)

# make install  the virtual environment alone
install: $(STAMP)

run: $(STAMP)
	$(BIN)/finiex-ray run $(SET) --executor ray

# make lint  ruff, mypy and the import contracts
lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	$(BIN)/pytest

# make soak  thousands of random examples of every property, the same ones each time (EXAMPLES=10000)
EXAMPLES ?= 10000
soak: $(STAMP)
	FINIEX_EXAMPLES=$(EXAMPLES) $(BIN)/pytest tests/property tests/unit/trading/test_portfolio_state.py \
		tests/unit/trading/test_order_graph.py tests/unit/trading/test_trading_metamorphic.py

# make bench  ours and the peers on the same ticks: one table, and build/bench.json (PARTS="run sweep" for some of it)
PARTS ?=
bench: $(STAMP)
	PYTHONPATH=tests $(BIN)/python -m bench $(PARTS)

# make bench-growth  how time and memory grow with ticks, scenarios and cores: a table, and build/bench-growth.json
bench-growth: $(STAMP)
	PYTHONPATH=tests $(BIN)/python -m bench.growth $(PARTS)

# make bench-docs  puts both tables into docs/benchmarks.md
bench-docs: $(STAMP)
	PYTHONPATH=tests $(BIN)/python -m bench.document

# make faults  the long fault runs (an hour): every failing write, workers, drivers and nodes killed, poison; as root full disks, a cut network
faults: $(STAMP)
	FINIEX_FAULTS=all $(BIN)/pytest tests/unit/results/test_recovery.py
	$(BIN)/python tests/faults/kill_driver.py 50 local
	$(BIN)/python tests/faults/kill_driver.py 50 ray
	$(BIN)/python tests/faults/kill_workers.py 300
	$(BIN)/python tests/faults/poison.py 2000 1
	$(BIN)/python tests/faults/object_store.py
	$(BIN)/python tests/faults/disk_full.py
	$(BIN)/python tests/bench/bench_many.py
	$(BIN)/python tests/cluster/node_faults.py
	$(BIN)/python tests/cluster/network_cut.py

# make mutants  do the trading tests notice small wrong changes to the account? (MUTANTS=100, takes a quarter of an hour)
MUTANTS ?= 100
mutants: $(STAMP)
	$(BIN)/python tests/mutants/run_mutants.py --count $(MUTANTS)

# make clean  removes what the other targets made
clean:
	rm -rf $(VENV) build .mypy_cache .ruff_cache .import_linter_cache
