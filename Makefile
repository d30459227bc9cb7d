# The front of the repository. `make` alone lists what there is.
.DEFAULT_GOAL := help
SHELL := /bin/bash
BIN := .venv/bin
.PHONY: help install lock demo up test integration check format docs bench chaos clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20

.venv/installed: requirements-dev.lock pyproject.toml tools/install
	@tools/install

install: .venv/installed ## Put everything DataMate needs into .venv

lock: .venv/installed ## Resolve the dependencies of pyproject.toml anew
	$(BIN)/uv pip compile --quiet pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header -o requirements.lock
	$(BIN)/uv pip compile --quiet pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --extra dev -o requirements-dev.lock

demo: .venv/installed ## Start a platform, clean a sample dataset, show what happened, stop
	@$(BIN)/datamate demo $(ARGS)

up: .venv/installed ## Start DataMate on this machine (ctrl-C stops it)
	@$(BIN)/datamate up

test: .venv/installed ## Run every test that needs nothing but .venv
	$(BIN)/pytest -n auto -m "not integration" $(ARGS)

integration: .venv/installed ## Run the end-to-end tests against Debian's PostgreSQL, redis-server and SeaweedFS
	tools/install-servers
	$(BIN)/pytest -m integration $(ARGS)

check: .venv/installed ## Lint, types, import rules, generated documents
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m datamate.app.schema_document --check

format: .venv/installed ## Rewrite the code in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: .venv/installed ## Write the generated documents anew
	$(BIN)/python -m datamate.app.schema_document

bench: .venv/installed ## Time the ten-operator recipe beside Data-Juicer and a plain Polars script
	$(BIN)/python tests/bench/compare_engines.py $(ARGS)

chaos: .venv/installed ## Kill workers at random moments and count what is lost (ROUNDS=20)
	$(BIN)/python tests/chaos/kill_workers.py --rounds $(or $(ROUNDS),20)

clean: ## Remove .venv, caches and benchmark data
	rm -rf .venv .bench .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
