# skillweave: everything a fresh Linux machine needs, in one place.
#
#   make demo            set up if needed, then the main job end to end, with a report
#   make check           lint, types, fast tests (run it while you work)
#   make test            check, slow tests and tests with a real engine
#   make exam NAME=store the full figures of one part
#   make setup-gpu       an environment with CUDA vLLM in .venv-gpu
#
# PYTHON=python3.12 chooses the interpreter of the environment; VENV=DIR its place.
# NO_SETUP=1 PY=/path/to/python uses an environment that you made, and never installs.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The first that is new enough; if none is, python3, and the platform check says what to do.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' 2>/dev/null \
	&& echo $$p && exit; done; echo python3)
VENV ?= .venv
PY ?= $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check
TORCH := torch==2.13.0
ROOMS := adapters router distill server scripts
TESTS ?= tests
PYTEST_ARGS ?=

export TOKENIZERS_PARALLELISM ?= false

# ---- set-up: a file per finished step, so that a step runs again only when its input changed ----
VENV_MADE := $(VENV)/.made
TORCH_IN := $(VENV)/.torch
CPU_IN := $(VENV)/.cpu
TEST_IN := $(VENV)/.test
ifdef NO_SETUP
RUN_READY :=
TEST_READY :=
else
RUN_READY := $(CPU_IN)
TEST_READY := $(TEST_IN)
endif

$(VENV_MADE):
	$(PYTHON) scripts/check_platform.py
	$(PYTHON) -m venv $(VENV)
	@touch $@

# torch first, with its own dependencies: pip then takes the build that its index offers.
$(TORCH_IN): $(VENV_MADE)
	$(PIP) install $(TORCH)
	@touch $@

# Never resolved: docs/decisions/0001-set-up-without-resolution.md
$(CPU_IN): requirements/cpu.lock pyproject.toml $(TORCH_IN)
	$(PIP) install --no-deps -r requirements/cpu.lock -e .
	$(PY) -m skillweave.scripts.check_install
	@touch $@

$(TEST_IN): requirements/test.lock $(CPU_IN)
	$(PIP) install --no-deps -r requirements/test.lock
	@touch $@

.PHONY: help setup setup-gpu demo check test lint types fast slow engine exam fmt locks clean

help:
	@sed -n 's/^#   //p' Makefile

setup: $(TEST_IN)

setup-gpu:
	$(PYTHON) scripts/check_platform.py --warn
	$(PYTHON) -m venv .venv-gpu
	.venv-gpu/bin/python -m pip install -e '.[gpu,test]'
	@echo "Ready. Use it with NO_SETUP=1 PY=.venv-gpu/bin/python, for example: make demo NO_SETUP=1 PY=.venv-gpu/bin/python"

# ---- work ----
demo: $(RUN_READY)
	$(PY) -m skillweave.scripts.cli demo $(DEMO_ARGS)

lint: $(TEST_READY)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m skillweave.scripts.make_locks --check
	$(PY) -m skillweave.scripts.make_results --check

# The link gives mypy the package under its installed name; without it mypy would see nothing
# (tests/test_types.py plants an error to prove that it sees it).
types: $(TEST_READY)
	mkdir -p build/types && ln -sfn ../.. build/types/skillweave
	$(PY) -m mypy $(MYPY_ARGS) $(ROOMS:%=-p skillweave.%)

# A worker per core, and one thread in each: more of either is slower.
IN_PARALLEL := OMP_NUM_THREADS=1 $(PY) -m pytest -n logical --maxprocesses 4

fast: $(TEST_READY)
	$(IN_PARALLEL) -m "not slow and not vllm and not gpu" $(PYTEST_ARGS) $(TESTS) </dev/null

slow: $(TEST_READY)
	$(IN_PARALLEL) --dist loadfile -m "slow and not vllm and not gpu" $(PYTEST_ARGS) $(TESTS) </dev/null

engine: $(TEST_READY)
	$(PY) -m pytest -m "vllm and not gpu" $(PYTEST_ARGS) $(TESTS) </dev/null

check: lint types fast

test: check slow engine

exam: $(TEST_READY)
	$(PY) -m skillweave.scripts.exam $(NAME)

fmt: $(TEST_READY)
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

locks: $(TEST_READY)
	$(PY) -m skillweave.scripts.make_locks

clean:
	rm -rf build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
