# The chores of this project, the same at home and in CI. `make help` lists them.
# A machine needs Python 3.11 or newer, Node 20 or newer and make; everything else is set up here.

ARGS ?=
REQUIRE_ALL ?=
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
UV := .cache/uv/bin/uv
export UV_PYTHON_DOWNLOADS := never
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
BUNDLE := jupyter_arkitekt/widgets/static/.built
JS_SOURCES := $(shell find js -path js/node_modules -prune -o -type f -print 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help setup demo test bench check format lock wheel clean

help: ## list the chores
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

setup: $(VENV)/.ready $(BUNDLE) ## make .venv with the locked dependencies and build the widgets

demo: setup ## the main job: platform, sample data, sample app, notebook (ARGS="--check", "--no-browser")
	@$(BIN)/arkitekt demo $(ARGS)

test: setup ## all tests (REQUIRE_ALL=1: a suite that lacks its program is a failure; ARGS=path or options)
	npm --prefix js test --silent
	REQUIRE_ALL=$(REQUIRE_ALL) $(BIN)/python -m pytest $(ARGS)

bench: setup ## measure the figures of docs/benchmarks.md
	$(BIN)/python -m benchmarks $(ARGS)

check: setup ## lint, format, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	npm --prefix js run --silent check

format: setup ## put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(UV) ## resolve the dependencies anew; none younger than seven days
	$(UV) pip compile -q --universal --generate-hashes --exclude-newer "$$(date -u -d '7 days ago' +%F)" \
		--custom-compile-command "make lock" --extra demo --group dev --python-version 3.11 pyproject.toml -o requirements/dev.txt
	cd js && npm install --package-lock-only

wheel: setup ## build sdist and wheel into dist/
	rm -rf dist && $(BIN)/python -m build --no-isolation

clean: ## remove everything that was built
	rm -rf $(VENV) .cache dist js/node_modules jupyter_arkitekt/widgets/static

$(UV): requirements/uv.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, none was found. Name one: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv --clear .cache/uv
	.cache/uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

$(VENV)/.ready: $(UV) requirements/dev.txt pyproject.toml
	$(UV) venv --quiet --clear --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" $(VENV)
	$(UV) pip sync --quiet --compile-bytecode --require-hashes requirements/dev.txt
	SKIP_JUPYTER_BUILDER=1 $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

js/node_modules/.ready: js/package-lock.json
	@command -v npm >/dev/null || { echo "Node 20 or newer with npm is needed to build the widgets, none was found."; exit 1; }
	npm --prefix js ci --silent --no-audit --no-fund
	@touch $@

$(BUNDLE): js/node_modules/.ready $(JS_SOURCES)
	npm --prefix js run --silent build
	@touch $@
