# parkindex: `make` lists the verbs.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
SEED ?=
SIZE ?=
EDITION ?=
sample_options = $(if $(SEED),--seed $(SEED)) $(if $(SIZE),--size $(SIZE)) $(if $(EDITION),--edition $(EDITION))

.PHONY: help
help: ## List the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ------------------------------------------------------------------------------------------------------------ set up

.PHONY: setup
setup: .venv/.run-stamp ## Install what running needs into .venv, from hashes

.PHONY: setup-dev
setup-dev: .venv/.dev-stamp ## Install what tests and linters need as well

.venv/bin/uv: requirements/bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info[:2] in ((3, 11), (3, 12)) else "parkindex needs Python 3.11 or 3.12, this is %s: call make PYTHON=python3.11" % sys.version.split()[0])'
	@$(PYTHON) -m venv .venv || { echo "python3 -m venv failed: on Debian, apt-get install python3-venv" >&2; exit 2; }
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@touch $@

.venv/.run-stamp: requirements/run.txt pyproject.toml .venv/bin/uv
	@echo "Installing parkindex into .venv (a few minutes when nothing is cached) ..."
	@.venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes -r requirements/run.txt
	@.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev-stamp: requirements/dev.txt .venv/.run-stamp
	@.venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes -r requirements/dev.txt
	@touch $@

.PHONY: lock
lock: .venv/bin/uv ## Resolve requirements/*.in again into hash-locked *.txt
	@for name in bootstrap run dev bench; do .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header requirements/$$name.in -o requirements/$$name.txt || exit 1; done

# --------------------------------------------------------------------------------------------------------------- run

.PHONY: ranking
ranking: .venv/.run-stamp ## Run the whole year on sample feeds: published ranking (SEED= SIZE=tiny|small|city EDITION=)
	@.venv/bin/parkindex ranking $(sample_options)

.PHONY: up
up: .venv/.run-stamp ## Start Postgres and Airflow, and keep them running
	@.venv/bin/parkindex up

.PHONY: down
down: .venv/.run-stamp ## Stop them
	@.venv/bin/parkindex down

.PHONY: status
status: .venv/.run-stamp ## Say what runs, and where
	@.venv/bin/parkindex status

# ------------------------------------------------------------------------------------------------------------- check

.PHONY: test
test: .venv/.dev-stamp lint ## Run every test that needs no engine beyond the embedded one
	@.venv/bin/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

.PHONY: lint
lint: .venv/.dev-stamp ## Check style, types, SQL, layers and derived files
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-logo
	@cd dbt_project && ../.venv/bin/sqlfluff lint --processes 2 models tests macros
	@.venv/bin/parkindex contract derive --check

.PHONY: format
format: .venv/.dev-stamp ## Bring Python into the house style
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

.PHONY: derive
derive: .venv/.run-stamp ## Write what contracts and methodology derive to disk (dbt sources, effects of assumptions)
	@.venv/bin/parkindex contract derive
	@.venv/bin/parkindex methodology effects 2025 --sample 2025 --out docs/method

# ----------------------------------------------------------------------------------------------------------- measure

.venv-bench/.stamp: requirements/bench.txt .venv/bin/uv
	@test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	@.venv/bin/uv pip install --quiet --python .venv-bench/bin/python --require-hashes -r requirements/bench.txt
	@touch $@

.PHONY: bench
bench: .venv/.run-stamp .venv-bench/.stamp ## Measure ingest and index beside their peers, small (minutes)
	@.venv/bin/python benchmarks/ingest.py --size small
	@.venv/bin/python benchmarks/index.py --size small

.PHONY: bench-full
bench-full: .venv/.run-stamp .venv-bench/.stamp ## Measure it at full size and write the tables of docs/performance.md (an hour)
	@.venv/bin/python benchmarks/ingest.py --size full --json docs/performance/ingest.json
	@.venv/bin/python benchmarks/index.py --size full --json docs/performance/index.json
	@.venv/bin/python benchmarks/render.py

.PHONY: chaos
chaos: .venv/.dev-stamp ## Kill and damage at length, and write docs/reliability/chaos.md (half an hour)
	@.venv/bin/python tests/faults/chaos.py

# ------------------------------------------------------------------------------------------------------------- clean

.PHONY: clean
clean: ## Remove caches and the environment; keep the data in var/
	@if [ -x .venv/bin/parkindex ]; then .venv/bin/parkindex down || true; fi
	@rm -rf .venv .venv-bench .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dbt_project/target dbt_project/logs
	@find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +

.PHONY: purge
purge: ## Remove the data in var/ as well (asks)
	@read -r -p "Delete every landed file, release and database in $${PARKINDEX_HOME:-var}? Type yes: " answer && [ "$$answer" = yes ]
	@if [ -x .venv/bin/parkindex ]; then .venv/bin/parkindex down || true; fi
	@rm -rf "$${PARKINDEX_HOME:-var}"
