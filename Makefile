# Courtroom Kiosk. `make` or `make help` lists what can be made.
# Works on Debian 12, Debian 13 and Raspberry Pi OS (trixie); needs no more than make and bash.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON_ENV := .venv/bin
WORKERS ?= auto
DEMO ?= demo

.PHONY: help setup test lint format lock demo demo-live screens test-pi bench faults install clean

help: ## this list
	@echo "Courtroom Kiosk: make TARGET"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | \
		while IFS='|' read -r name text; do printf '  %-12s %s\n' $$name "$$text"; done

setup: ## install what is needed (Debian packages by apt, Python packages from the lock file); instant when done
	@packaging/setup.sh

demo: setup ## the main job on virtual devices through the touch screen app, with real clicks; result in demo/
	$(PYTHON_ENV)/kiosk demo --out $(DEMO)

demo-live: setup ## the same kiosk, left running for a person to touch
	$(PYTHON_ENV)/kiosk demo --out $(DEMO) --live

screens: setup ## a picture of every screen, in build/screens/
	$(PYTHON_ENV)/kiosk screens --out build/screens

test: setup ## all tests (WORKERS=n: so many at once)
	$(PYTHON_ENV)/python -m pytest -n $(WORKERS) $(ARGS)

lint: setup ## style, types and layers: ruff, mypy --strict, import-linter
	$(PYTHON_ENV)/ruff check .
	$(PYTHON_ENV)/ruff format --check .
	$(PYTHON_ENV)/mypy
	$(PYTHON_ENV)/lint-imports

format: setup ## lay the code out as `make lint` wants it
	$(PYTHON_ENV)/ruff check --fix .
	$(PYTHON_ENV)/ruff format .

test-pi: setup ## the real picamera2 on Python 3.13, in a Debian trixie tree (root; built once, then cached)
	@tests/pi/run.sh $(ARGS)

bench: setup ## measure beside the peers; table, and build/bench.json
	$(PYTHON_ENV)/python -m bench.run $(ARGS)

faults: setup ## cut the power, kill, break devices and disks, tamper; see what survives; table, and build/faults.json
	$(PYTHON_ENV)/python -m faults.run $(ARGS)

install: ## as services of this machine (root; see docs/installation.md)
	@packaging/install.sh

lock: setup ## the lock files anew from pyproject.toml (ARGS=--upgrade: newest versions)
	packaging/lock.sh $(ARGS)

clean: ## remove what was made here (not the Python environment, nor the cached tree)
	rm -rf build demo dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
