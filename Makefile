# Courtroom Kiosk. `make` or `make help` lists the targets.
# Works on Debian 12, Debian 13 and Raspberry Pi OS (trixie); needs only make and bash.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON_ENV := .venv/bin
# one more than cores: tests wait for started processes a quarter of their time
WORKERS ?= $(shell echo $$(($$(nproc) + 1)))
# a worker that has nothing left takes over of what waits behind a long test
AT_ONCE = -n $(WORKERS) --dist worksteal
DEMO ?= demo
# A shell that forbids it would make each process that a test starts compile all modules anew.
export PYTHONDONTWRITEBYTECODE :=
TESTS = $(if $(PACKAGE),tests/$(PACKAGE))

.PHONY: help setup demo demo-live screens check test test-fast coverage lint format hooks test-pi \
	bench faults install uninstall lock audit audit-refresh clean

help: ## list the targets
	@echo "Courtroom Kiosk: make TARGET"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | \
		while IFS='|' read -r name text; do printf '  %-13s %s\n' $$name "$$text"; done

setup: ## install Debian packages (apt) and Python packages (lock file); instant when done
	@packaging/setup.sh

demo: setup ## do the main job on virtual devices, with real clicks on the touch screen; result in demo/
	$(PYTHON_ENV)/kiosk demo --out $(DEMO)

demo-live: setup ## do the same and leave the kiosk running for a person to touch
	$(PYTHON_ENV)/kiosk demo --out $(DEMO) --live

screens: setup ## draw a picture of every screen into build/screens/
	$(PYTHON_ENV)/kiosk screens --out build/screens

check: lint test-fast ## check a change while working: lint and fast tests, in less than 90 s

test: setup ## run the tests (PACKAGE=hearing: those of tests/hearing; WORKERS=n: n at once; ARGS: for pytest)
	$(PYTHON_ENV)/python -m pytest $(AT_ONCE) $(TESTS) $(ARGS)

test-fast: setup ## run the tests that are not marked slow (PACKAGE, WORKERS and ARGS as above)
	$(PYTHON_ENV)/python -m pytest $(AT_ONCE) -m "not slow" $(TESTS) $(ARGS)

coverage: setup ## run tests and demo with coverage, services and children included; writes docs/coverage.md
	rm -rf build/coverage
	@failed=; \
	$(PYTHON_ENV)/coverage run -m pytest $(AT_ONCE) $(ARGS) || failed=yes; \
	$(PYTHON_ENV)/coverage run -m kiosk.cli demo --out build/coverage/demo || failed=yes; \
	$(PYTHON_ENV)/coverage combine --quiet; \
	$(PYTHON_ENV)/python -m bench.coverage_page; \
	test -z "$$failed"

lint: setup ## check style, types and layers: ruff, mypy --strict, import-linter
	$(PYTHON_ENV)/ruff check .
	$(PYTHON_ENV)/ruff format --check .
	$(PYTHON_ENV)/mypy
	$(PYTHON_ENV)/lint-imports

format: setup ## lay the code out as `make lint` expects it
	$(PYTHON_ENV)/ruff check --fix .
	$(PYTHON_ENV)/ruff format .

hooks: setup ## check every commit before it is made (pre-commit, with the tools of .venv)
	$(PYTHON_ENV)/pre-commit install

test-pi: setup ## test the real picamera2 on Python 3.13, in a Debian trixie tree (root; built once, then cached)
	@tests/pi/run.sh $(ARGS)

bench: setup ## measure against comparable programs; table, and build/bench.json
	$(PYTHON_ENV)/python -m bench.run $(ARGS)

faults: setup ## cut the power, kill processes, break devices and disks, tamper; table, and build/faults.json
	$(PYTHON_ENV)/python -m faults.run $(ARGS)

install: ## install the services on this machine (root; see docs/installation.md)
	@packaging/install.sh $(ARGS)

uninstall: ## take the services off this machine again; data and settings stay (root)
	@packaging/uninstall.sh

lock: setup ## rewrite the lock files from pyproject.toml (ARGS=--upgrade: newest versions)
	packaging/lock.sh $(ARGS)

audit: setup ## look for known vulnerabilities of the locked packages (snapshot in requirements/)
	$(PYTHON_ENV)/python -m requirements.audit

audit-refresh: setup ## renew the snapshot of advisories from OSV (ARGS='--from DIR': a checkout)
	$(PYTHON_ENV)/python -m requirements.audit refresh $(ARGS)

clean: ## remove build results (not the Python environment, nor the cached Debian tree)
	rm -rf build demo dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
