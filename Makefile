# make test, make demo: each sets up all it needs, in $(VENV), with nothing but Python 3.11 or later and make.
#
#   PYTHON=python3.12   the Python to make the environment with
#   VENV=.venv          where the environment is
#   ARGS='-k join'      more arguments for the program behind a target
#   JOBS=auto           parallel test processes (0: none)
#   DATABASE_URL=...    a running PostgreSQL to use instead of the embedded one

PYTHON ?= python3
VENV ?= .venv
ARGS ?=
JOBS ?= auto

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq --no-input
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help test fuzz torture faults demo bench lint format check-wheel clean
# Two targets of one call must not install into one environment at once.
.NOTPARALLEL:

help:
	@echo "make test         run the tests"
	@echo "make demo         a wholesale shop with live views, from nothing, in a few minutes"
	@echo "make bench        compare with the other ways to keep a view (table and plot)"
	@echo "make fuzz         100,000 random steps on all cores"
	@echo "make faults       servers killed, disks full, locks short …; every view exact, or stale and mended"
	@echo "make torture      many writers at once in every mode, against the same run without views"
	@echo "make lint         ruff, mypy, import contracts"
	@echo "make format       what ruff can put right by itself"
	@echo "make check-wheel  build the wheel, install it elsewhere, maintain a view with it"
	@echo "make clean        remove the environment and caches"

test: $(INSTALLED)-test
	$(BIN)/python -m pytest -n $(JOBS) --maxprocesses=8 $(ARGS)

fuzz: $(INSTALLED)-test
	$(BIN)/python -m tests.property.fuzz $(ARGS)

faults: $(INSTALLED)-test
	$(BIN)/python -m tests.faults --rounds 10 $(ARGS)

torture: $(INSTALLED)-test
	$(BIN)/python -m tests.torture $(ARGS)

demo: $(INSTALLED)-example
	@$(BIN)/python -m example.demo $(ARGS)

bench: $(INSTALLED)-bench
	@$(BIN)/python -m benchmarks $(ARGS)

lint: $(INSTALLED)-dev
	$(BIN)/ruff check --output-format concise .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(INSTALLED)-dev
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

check-wheel: $(BIN)/python
	$(BIN)/python scripts/check_wheel.py

# One stamp per extra: a second run finds it and installs nothing.
$(INSTALLED)-%: pyproject.toml | $(BIN)/python
	@echo "installing django-ivm[$*] into $(VENV)"
	@$(PIP) install --editable '.[$*]'
	@touch $@

$(BIN)/python:
	@command -v $(PYTHON) > /dev/null || { echo "$(PYTHON) was not found; name a Python 3.11 or later: make PYTHON=..."; exit 1; }
	@$(PYTHON) scripts/make_venv.py $(VENV)

clean:
	rm -rf $(VENV) build dist .nox .hypothesis .coverage .coverage.* htmlcov
	rm -rf .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
