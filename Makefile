# Triage: `make demo` opens the console on a built-in simulated stack, `make test` passes the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
INSTALLED := $(VENV)/.installed
READY := $(VENV)/.ready

.PHONY: demo test check lint types layers format schema picture bench walks ranking restore clean

$(INSTALLED): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Triage needs Python 3.11 or newer; try: make PYTHON=python3.11"; exit 1; }
	@echo "Making a virtual environment in $(VENV) and installing Triage (once; about a minute)…"
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv is missing; on Debian: apt-get install python3-venv"; exit 1; }
	@$(PIP) --editable .
	@touch $@

$(READY): $(INSTALLED)
	@echo "Installing what the tests and checks need (once)…"
	@$(PIP) --editable '.[dev]'
	@touch $@

demo: $(INSTALLED)
	@$(BIN)/triage practice

test: $(READY)
	$(BIN)/python -m pytest -n 3 --dist loadgroup

check: lint types layers test

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

layers: $(READY)
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The JSON Schema of guides, for editors; a test holds that it is not stale.
schema: $(READY)
	$(BIN)/python -m console.guides.editor_schema

# The picture of the README, taken from the console on the lab (needs `triage lab up`), and those of a drill.
picture: $(READY)
	TERM=xterm-256color COLORTERM=truecolor $(BIN)/python -m docs.picture docs/console.svg
	TERM=xterm-256color COLORTERM=truecolor $(BIN)/python -m docs.drill_pictures docs

# Ratios against pg_activity and the guide's own commands. Needs `triage lab up`.
bench: $(READY)
	@$(PIP) --editable '.[bench]'
	$(BIN)/python -m bench

# Every fault of the lab: which cause its walk names, and in what time. Makes docs/walks.md; takes an hour.
walks: $(READY)
	$(BIN)/python -m bench.walks

# Ten faults of the lab, and what a quick look at every issue puts first.
ranking: $(READY)
	$(BIN)/python -m bench.ranking

# Backup, damage and restore on the lab of sms: rows before and after, and the time against what was promised.
restore: $(READY)
	$(BIN)/python -m pytest -q -s tests/live/test_backups.py -k on_the_lab

clean:
	rm -rf $(VENV) dist build
