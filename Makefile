# Every target does the set-up that it needs by itself, and quickly when it is done already.
PYTHON ?= python3
BIN := .venv/bin
# Container images often set it. Without compiled files every command takes twice as long to start.
unexport PYTHONDONTWRITEBYTECODE
# A clone may leave the sandbox out. Its tests, and those of the platform inside of it, are then left out, too.
SANDBOX := $(wildcard sandbox/pyproject.toml)
SOURCES := $(wildcard stacks ml_workloads platform_services components validation policies mlp scripts __main__.py) \
  tests/unit tests/contract tests/conftest.py $(if $(SANDBOX),sandbox tests/environments)
UNIT := tests/unit $(if $(SANDBOX),sandbox/tests/unit)
LIVE := $(if $(SANDBOX),--grouped tests/environments sandbox/tests/live)

.DEFAULT_GOAL := help
.PHONY: help environment setup up test test-long test-unit lint down clean bench requirements findings

help: ## Show what can be made
	@echo "The machine-learning platform: make <target>"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

environment: ## .venv with every package pinned by hash (first time: 1 to 2 minutes)
	@$(PYTHON) scripts/environment.py

setup: environment ## The environment, and what no Python package brings (first time: 15 to 20 minutes)
	@$(if $(SANDBOX),$(BIN)/mlp setup,:)

up: setup ## Start the sandbox, deploy the dev environment into it, show what is there (not on AWS)
	@$(BIN)/mlp sandbox demo

test: setup lint ## Lint, then the unit, contract, projects' and sandbox tests
	@$(BIN)/python -m scripts.layers --parallel $(UNIT) tests/contract ml_workloads/projects $(LIVE)

test-long: setup ## Tests that take too long for every change (about 40 minutes)
	@$(if $(SANDBOX),$(BIN)/python -m pytest -m long tests sandbox/tests -q --durations=20,echo "Every long test needs the sandbox.")

test-unit: environment ## The unit tests alone (about 6 minutes)
	@$(BIN)/python -m scripts.layers --parallel $(UNIT)

lint: environment ## ruff, its formatter, and basedpyright in strict mode
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "not formatted as ruff does it; run: $(BIN)/ruff format ."; exit 1; }
	@$(BIN)/basedpyright --pythonpath $(BIN)/python $(SOURCES)

down: ## Stop the sandbox; what it holds is kept
	@if [ -x $(BIN)/mlp ]; then $(BIN)/mlp sandbox down; else echo "Nothing runs: there is no environment yet."; fi

clean: ## Stop the sandbox, then remove .venv, .mlp and the caches of this clone (not ~/.cache/ml-platform)
	@for box in .mlp/*/sandbox.json; do \
	  [ ! -f "$$box" ] || $(BIN)/mlp sandbox down --name "$$(basename "$$(dirname "$$box")")" || exit 1; \
	done
	rm -rf .venv .mlp .pytest_cache .ruff_cache
	find . \( -name __pycache__ -o -name "*.egg-info" \) -type d -prune -exec rm -rf {} +

bench: setup ## Wall time and memory of preview and up, in a sandbox of its own (about 10 minutes)
	@$(BIN)/python -m tests.environments.bench

requirements: environment ## Compile the requirements*.txt (OPTIONS=--upgrade for newer versions)
	@$(BIN)/python -m scripts.requirements $(OPTIONS)

findings: ## Run findings/*.sh and report each; needs package registries and Go (3 minutes, not in CI)
	@findings/run
