# Two commands: `make demo` runs the main job on sample media, `make test` passes the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint types check dist wheel-env wheel-use docs clean

$(VENV)/.ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=24"
	$(BIN)/python -m pip install --quiet -e ".[dev]"
	touch $@

demo: $(VENV)/.ready
	$(BIN)/famaug demo --out demo

test: $(VENV)/.ready
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m 'not docs'

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.ready
	$(BIN)/mypy

check: test lint types

dist: $(VENV)/.ready
	rm -rf dist
	$(BIN)/python -m build --outdir dist
	$(BIN)/twine check --strict dist/*

wheel-env: dist
	.ci/wheel-env

wheel-use: wheel-env
	.ci/wheel-use

docs: wheel-env
	.ci/docs-env
	FAMAUG_PYTHON=$(CURDIR)/.docs-venv/bin/python $(BIN)/python -m pytest -q -n 2 --dist load -m docs tests/docs

clean:
	rm -rf $(VENV) .wheel-venv .docs-venv dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
