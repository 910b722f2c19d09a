# `make help` lists the targets. Python >= 3.11 and make are all that a machine needs; the rest is installed here.

PYTHON ?= python3
UV := .tools/uv/bin/uv
RUN := $(UV) run --locked --no-sync

export UV_PYTHON = $(PYTHON)
export UV_PYTHON_DOWNLOADS = never
# Where the environment forbids to keep bytecode, each process would compile anew what it imports, for two seconds.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo up test fuzz soak bench tools slither halmos compile mutate clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: setup ## issue, certify and verify a land title, then try seven frauds
	@$(RUN) python -m scripts.demo

up: setup ## start devnet, service and API on 127.0.0.1:8000 and leave them running; Ctrl-C stops all
	@$(RUN) python -m scripts.up

test: setup tools slither halmos ## lint, type-check and run every test
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy
	@$(RUN) bandit -q -c pyproject.toml -r ledger wallet api scripts
	@$(RUN) pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# FUZZ_SEED=0x... repeats the Solidity half of a run; a state machine prints how to repeat what it found.
FUZZ_SEED := $(or $(FUZZ_SEED),0x$(shell date +%s))

fuzz: setup ## long fuzzing: the forge tests and the state machines with many runs, new ones each time
	@echo "FUZZ_SEED=$(FUZZ_SEED)"
	@forge=$$($(RUN) python -c 'from scripts.node import foundry; print(foundry("forge"))') && cd hardhat-local && \
	  FOUNDRY_FUZZ_RUNS=20000 FOUNDRY_INVARIANT_RUNS=1000 "$$forge" test --fuzz-seed $(FUZZ_SEED)
	@$(RUN) pytest --hypothesis-profile=long tests/contracts/test_*_machine.py

tools: setup ## build Kubo, geth and a note reader into .tools/bin, where Go is found
	@$(RUN) python -m scripts.tools.build

slither: .tools/slither.stamp ## install slither, which needs packages of its own

.tools/slither.stamp: scripts/requirements-slither.txt .tools/uv.stamp
	@$(UV) venv --quiet --clear .tools/slither
	@$(UV) pip install --quiet --python .tools/slither/bin/python --require-hashes -r $<
	@touch $@

halmos: .tools/halmos.stamp ## install halmos, which needs packages of its own

.tools/halmos.stamp: scripts/requirements-halmos.txt .tools/uv.stamp
	@$(UV) venv --quiet --clear .tools/halmos
	@$(UV) pip install --quiet --python .tools/halmos/bin/python --require-hashes -r $<
	@touch $@

soak: setup ## kill the worker again and again for an hour (SOAK_SECONDS): nothing may be lost or doubled
	@$(RUN) python -m tests.soak

bench: setup ## measure, as ratios, into build/bench.json
	@$(RUN) python -W ignore -m scripts.bench

compile: setup ## compile the contracts again into contracts/artifacts
	@$(RUN) python -m scripts.compile

mutate: setup ## break the contracts in a thousand ways and see the tests notice: takes an hour
	@$(RUN) python -m tests.contracts.mutate

setup: .tools/uv.stamp ## install the locked packages (every other target does this by itself)
	@$(UV) sync --locked --quiet
	@$(RUN) python -m scripts.node

.tools/uv.stamp: scripts/requirements-uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=")'
	@$(PYTHON) -m venv .tools/uv || { echo "This Python lacks venv; on Debian, install python3-venv."; exit 1; }
	@.tools/uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

clean: ## remove what was built, but no keys and no data of an office
	@rm -rf .venv .tools hardhat-local/node_modules build/demo
