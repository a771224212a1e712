# What a newcomer and a contributor run. Targets that need packages set up .venv first,
# which ends at once when nothing changed. PYTHON names another interpreter.
PYTHON ?= python3
export PYTHON
BIN := .venv/bin
PYTEST_ARGS ?= -n auto --dist worksteal

.PHONY: help try test check fix lock bench demo-model
.DEFAULT_GOAL := help

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

try: ## Set up and see an answer: no key, no network
	@scripts/setup run
	@$(BIN)/jackfield demo

test: check ## Everything CI runs: the static checks, then all tests in random order
	@$(BIN)/pytest $(PYTEST_ARGS)

check: ## Style, types, layers, and files that are made from others
	@scripts/setup dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/compile_catalog.py --check
	$(BIN)/python scripts/render_docs.py --check

fix: ## Mend style, and make the made files anew
	@scripts/setup dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/python scripts/compile_catalog.py
	$(BIN)/python scripts/render_docs.py

lock: ## Lock the packages anew (needs uv); see CONTRIBUTING.md
	scripts/lock

bench: ## Measure start-up, transport, protocols and the gateway
	@scripts/setup dev
	$(BIN)/python bench/startup.py
	$(BIN)/python bench/transport.py
	$(BIN)/python bench/protocols.py
	$(BIN)/python bench/gateway.py

demo-model: ## Build the demo's model anew
	@scripts/setup dev
	$(BIN)/python scripts/make_demo_model.py
