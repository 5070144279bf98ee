# make alone lists what it can do.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
CONSTRAINTS ?= constraints.txt

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint types bench test-newest clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.ready  ## a virtual environment with everything, at the tested versions

$(VENV)/.ready: pyproject.toml $(CONSTRAINTS)
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) is missing; install Python 3.11 to 3.13 (Debian: apt-get install python3)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { echo "make: $(PYTHON) is $$($(PYTHON) -V); Sliceforge needs Python 3.11 to 3.13, such as PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "make: Python's venv is missing; install it (Debian: apt-get install python3-venv)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(CONSTRAINTS) --editable '.[dev]'
	@touch $@

demo: setup  ## the main job on the built-in material, a sheet and a table: runs/demo
	@$(BIN)/python examples/demo.py

# One thread each: processes are as many as cores, and threads that wait for one another cost more than they save.
test: setup  ## all tests
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses=auto --maxprocesses=4 --dist=worksteal

lint: setup  ## style and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

# Type checkers cannot see folders that are mapped into a package: they are given links that lie as the package does.
types: setup  ## static types
	@mkdir -p .typing/sliceforge
	@for folder in conf engine kernels material recipes; do ln -sfn ../../$$folder .typing/sliceforge/$$folder; done
	@$(BIN)/mypy .typing/sliceforge

bench: setup  ## measure, where the tests pass: benchmarks/results and benchmarks/README.md
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(CONSTRAINTS) --editable '.[bench]'
	@$(BIN)/python benchmarks/green.py
	@$(BIN)/python -m pytest benchmarks --benchmark-enable --benchmark-only --benchmark-json=benchmarks/results/latest.json
	@$(BIN)/python -m benchmarks.peers
	@$(BIN)/python benchmarks/generate.py
	@$(BIN)/python -m benchmarks.training
	@$(BIN)/python -m benchmarks.table

test-newest:  ## all tests with the newest versions that the ranges allow
	@$(MAKE) --no-print-directory test VENV=.venv-newest CONSTRAINTS=/dev/null

clean:  ## remove what make made
	@rm -rf $(VENV) .venv-newest .typing .mypy_cache .ruff_cache .pytest_cache build *.egg-info runs
