# make run   a first run on Ray, with nothing else installed but Python >= 3.11 and make
# make test  every gate: lint, types, import contracts, tests
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
SET    ?= configs/scenario_sets/quickstart.json

.DEFAULT_GOAL := help
.PHONY: help install run test docs docs-serve browser browser-setup soak mutants faults lint bench bench-growth bench-docs clean

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

# Tests run in three processes, as they wait for Ray a third of their time; WORKERS=0 keeps them in one, for a debugger.
WORKERS ?= 3
test: lint
	$(BIN)/pytest -n $(WORKERS) --dist worksteal

# make docs  the documentation as a site, build/site/index.html; a dead link or a missing page is an error
# make docs-serve  the same at http://127.0.0.1:8000, renewed while it is written
SITE := NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs
docs: $(STAMP)
	$(SITE) build --strict --config-file docs/site/mkdocs.yml

docs-serve: $(STAMP)
	$(SITE) serve --config-file docs/site/mkdocs.yml

# make browser  the report in headless Chromium (part of make test where there is one); pictures in build/screenshots
browser: $(STAMP)
	$(BIN)/pytest tests/browser -rs

# make browser-setup  Chromium from Debian or Ubuntu, as root
browser-setup:
	apt-get update
	apt-get install --yes --no-install-recommends chromium

# make soak  10,000 random examples of every property, 1,000 for each of ten seeds (SEEDS="10 11", EXAMPLES=1000): half an hour
SEEDS ?= 0 1 2 3 4 5 6 7 8 9
EXAMPLES ?= 1000
SOAKED = tests/property tests/unit/trading/test_portfolio_state.py tests/unit/trading/test_order_graph.py \
	tests/unit/trading/test_trading_metamorphic.py
soak: $(STAMP)
	FINIEX_EXAMPLES=$(EXAMPLES) $(BIN)/pytest -n $(WORKERS) --dist worksteal -k long_streams $(SOAKED)
	set -e; for seed in $(SEEDS); do FINIEX_EXAMPLES=$(EXAMPLES) $(BIN)/pytest -n $(WORKERS) --dist worksteal -q \
		--hypothesis-seed=$$seed -k "not long_streams" $(SOAKED); done

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
