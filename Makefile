# Sangkroh. `make help` lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# The demonstration's size: 1 is the country, 678,440 households.
SCALE ?= 0.03
KEEP ?=
SEEDS ?= 20
EXAMPLES ?= 200
# When the programme of `make run` begins, such as 2020-10-12; empty: now.
CLOCK ?=
# The processes that share the tests, each with a PostgreSQL: one for each core, eight at most.
WORKERS ?= logical
TOGETHER := -q --numprocesses $(WORKERS) --maxprocesses 8 --dist worksteal

export SCALE KEEP SEEDS CLOCK
# Compiled modules are kept, whatever the environment says: each process would compile them all.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(READY): requirements-dev.lock
	@command -v $(PYTHON) > /dev/null || { echo "Python is missing: install Python 3.11 or newer, or say where it is with PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$$($(PYTHON) --version) is too old: install Python 3.11 or newer, or say where it is with PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { echo "Python's venv module is missing: install it (Debian: apt-get install python3-venv)." >&2; exit 1; }
	@echo "Installing what requirements-dev.lock pins into $(VENV) …"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock || { echo "The installation failed: is a package index reachable?" >&2; exit 1; }
	@touch $(READY)

.PHONY: install
install: $(READY) ## Install the pinned dependencies into .venv

.PHONY: demo
demo: $(READY) ## The main job on real data, end to end (SCALE=0.03, KEEP=1 to look around after)
	@$(BIN)/python -m demo

.PHONY: run
run: $(READY) ## Start the three services and the provider sandbox, and stay up (CLOCK=2020-10-12)
	@$(BIN)/python -m deploy.local

.PHONY: clock
clock: $(READY) ## Say what the clock of `make run CLOCK=…` says, or move it on (CLOCK=2020-11-12)
	@$(BIN)/python -m shared.clock $(CLOCK)

.PHONY: command
command: $(READY) ## Run a command of the services on what `make run` started: COMMAND=duplicates, COMMAND="prune registry"
	@test -f .local/environment || { echo "Nothing runs here: start it with \`make run\`." >&2; exit 1; }
	@set -a; . .local/environment; $(BIN)/python -m services $(or $(COMMAND),--help)

.PHONY: token
token: $(READY) ## Print a bearer token for what `make run` started: the officer's, or ROLE=checker; bound to AREAS=0102
	@$(BIN)/python -m shared.auth.development $(if $(ROLE),--role $(ROLE)) $(AREAS:%=--area %)

.PHONY: test
test: $(READY) ## The tests, on a real PostgreSQL 18, several at once (WORKERS=0: one by one)
	@$(BIN)/python -m pytest $(TOGETHER) -m "not faults and not long"

.PHONY: long
long: $(READY) ## The tests with whole programs: killed, hostile, made-up calls, as the README says
	@$(BIN)/python -m pytest $(TOGETHER) -m long

.PHONY: check
check: $(READY) ## Format, lint, types, walls, places, migration drift, OpenAPI examples, security tables, deployment files
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy .
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m tests.checks.house
	@$(BIN)/python -m tests.checks.migration_drift
	@$(BIN)/python -m tests.checks.openapi_examples
	@$(BIN)/python -m tests.checks.security_tables
	@$(BIN)/python -m deploy.check

.PHONY: faults
faults: $(READY) ## Kill at random, SEEDS=20 times; cases; then planted bugs and lost commits
	@$(BIN)/python -m tests.faults
	@$(BIN)/python -m tests.faults --cases
	@$(BIN)/python -m pytest -q -m faults tests/faults

.PHONY: fuzz
fuzz: $(READY) ## Made-up calls, EXAMPLES=200 of each operation, and sequences (make long: 10)
	@EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest -q tests/registry/test_openapi.py tests/triggers/test_openapi.py tests/payments/test_openapi.py

.PHONY: bench
bench: $(READY) ## Measure against bare limits, and write docs/performance.md
	@$(BIN)/python -m benchmarks

.PHONY: hooks
hooks: $(READY) ## Let git run the checks: the quick ones at each commit, all at each push
	@$(BIN)/pre-commit install

.PHONY: format
format: $(READY) ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: lock
lock: $(READY) ## Renew the lock files from pyproject.toml
	@$(BIN)/uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --output-file requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --extra dev --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --output-file requirements-dev.lock

.PHONY: clean
clean: ## Remove the local databases, keys and caches (not .venv); refuses while one is in use
	@$(PYTHON) -m deploy.local.clean
