# Two commands: `make demo` runs the main job on sample media, `make test` passes the tests that
# take two minutes; `make check` passes all of them (tests/README.md).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TEST := $(BIN)/python -m pytest -q -n 2 --dist loadfile --durations 20
SOURCES := pyproject.toml README.md $(shell find famaug -type f -not -name '*.pyc')

.PHONY: demo test slow lint types check dist wheel-env wheel-use docs-env docs site notebooks clean

$(VENV)/.ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=24"
	$(BIN)/python -m pip install --quiet -e ".[dev]"
	touch $@

demo: $(VENV)/.ready
	$(BIN)/famaug demo --out demo

test: $(VENV)/.ready
	$(TEST) -m 'not (slow or media or docs)'

slow: $(VENV)/.ready
	$(TEST) -m '(slow or media) and not docs'

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.ready
	$(BIN)/mypy

check: test slow lint types

dist/.ready: $(VENV)/.ready $(SOURCES)
	rm -rf dist
	$(BIN)/python -m build --outdir dist
	$(BIN)/twine check --strict dist/*
	touch $@

.wheel-venv/.ready: dist/.ready .ci/wheel-env
	.ci/wheel-env
	touch $@

.docs-venv/.ready: .wheel-venv/.ready .ci/docs-env
	.ci/docs-env
	touch $@

dist: dist/.ready

wheel-env: .wheel-venv/.ready

wheel-use: .wheel-venv/.ready
	.ci/wheel-use

docs-env: .docs-venv/.ready

notebooks: $(VENV)/.ready
	$(BIN)/python -m pytest -q -n 2 --dist load -m docs tests/docs/test_notebooks.py

site: $(VENV)/.ready
	$(BIN)/python recipes/build_site.py --out site

docs: .docs-venv/.ready
	FAMAUG_PYTHON=$(CURDIR)/.docs-venv/bin/python $(BIN)/python -m pytest -q -n 2 --dist load -m docs tests/docs

clean:
	rm -rf site $(VENV) .wheel-venv .docs-venv dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
