# Forgeyard.  'make' lists the targets; all of them work in a fresh clone.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
#: Options for the program that a target runs: make demo ARGS=--exit
ARGS ?=
export PYTHON

.PHONY: help demo test lint docs reference bench-spine clean venv

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

demo: ## Build the examples, install from the channel, serve the page until Ctrl-C.
	@tools/prepare packages demo
	@tools/prepare venv
	@$(BIN)/forgeyard demo $(ARGS)

test: ## All checks: style, types, walls, docs, tests.
	@tools/prepare packages test
	@$(MAKE) lint
	@$(MAKE) docs
	@echo "── pytest"
	@$(BIN)/python -m pytest $(ARGS)

lint: venv ## Style, types and the walls between the packages.
	@echo "── ruff"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo "── mypy"
	@$(BIN)/mypy
	@echo "── import-linter"
	@$(BIN)/lint-imports --no-logo

docs: venv ## The documentation, in docs/_build/html.
	@echo "── sphinx"
	@$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

reference: venv ## Write docs/reference from the code.
	@$(BIN)/python docs/generate_reference.py

bench-spine: venv ## Measure the spine; writes benchmarks/results/spine.json.
	@tools/prepare packages demo
	@$(BIN)/python benchmarks/spine.py $(ARGS)

venv: ## Make or refresh .venv from requirements.lock.
	@tools/prepare venv

clean: ## Remove what was made here: .demo, caches, built documentation; not .venv.
	@rm -rf .demo docs/_build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
