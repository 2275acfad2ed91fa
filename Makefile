# kpy: every target sets up what it needs; only Python 3.11 or newer and make have to be there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= auto
# 'compat': a path, not an import hook, which would cost every command 20 ms.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --config-settings editable_mode=compat
SHELL := /bin/bash

.PHONY: help demo test check lint types docs bench bench-large crash garbage fuzz golden clean

help: ## show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

demo: $(VENV)/.installed ## the main job from manifest to running pods, in under a minute
	@PATH="$(CURDIR)/$(BIN):$$PATH" KPY=kpy bash manifests/demo.sh

test: $(VENV)/.tested ## all tests, in parallel
	$(BIN)/python -m pytest -n $(WORKERS) tests

check: $(VENV)/.tested lint types test ## what CI runs: lint, types, house rules, all tests, generated docs

lint: $(VENV)/.tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.tested
	$(BIN)/mypy

docs: $(VENV)/.tested ## write the generated parts of docs/ anew
	$(BIN)/python -m tests.house.write_docs

bench: $(VENV)/.tested ## speed as ratios within one run: a table, and build/bench.json
	$(BIN)/python -m tests.bench

bench-large: $(VENV)/.tested ## 5,000 nodes and 150,000 pods, what small changes cost there: build/large.md and .svg (PODS=1000,10000)
	$(BIN)/python -m tests.bench.large --pods $(or $(PODS),1000,10000,50000,150000)

crash: $(VENV)/.tested ## kill kpy 1,000 times at moments from a seed (SEED=1, KILLS=1000)
	$(BIN)/python -m tests.simulation.crash --kills $(or $(KILLS),1000) --seed $(or $(SEED),1)

garbage: $(VENV)/.tested ## 10,000 broken manifests and as many broken expressions (GARBAGE=10000)
	KPY_GARBAGE=$(or $(GARBAGE),10000) $(BIN)/python -m pytest -n $(WORKERS) tests/garbage

fuzz: $(VENV)/.tested ## schemathesis over the OpenAPI of kpy serve: no 500 (EXAMPLES=20, SEED=1)
	$(BIN)/python -m tests.clients.fuzz --examples $(or $(EXAMPLES),20) --seed $(or $(SEED),1)

golden: $(VENV)/.tested ## rewrite recorded outputs of our own; review the diff
	KPY_GOLDEN=1 $(BIN)/python -m pytest -n $(WORKERS) tests

clean: ## remove what the targets made
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info

# Two marks: the product alone (demo), and with everything its tests need.
$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kpy needs Python 3.11 or newer; this is " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml
	$(PIP) -e .
	@touch $@

$(VENV)/.tested: $(VENV)/.created pyproject.toml
	$(PIP) -e '.[test]'
	@touch $@ $(VENV)/.installed
