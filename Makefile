# `make demo` and `make test` need Python 3.11 to 3.13 and make, nothing else.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint tests results benchmark clean

demo: .venv/.installed  ## train MASLN on the embedded emoji, search classes it never saw
	$(BIN)/msl train

test: .venv/.installed-test  ## ruff and mypy beside pytest
	$(MAKE) --no-print-directory -j 2 lint tests

lint: .venv/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

tests: .venv/.installed-test
	$(BIN)/pytest -n 2 --dist worksteal

results: .venv/.installed  ## measure the numbers again (emoji 15 minutes; an hour with the sets in $$MSL_DATA), write results/
	$(BIN)/python results/measure.py
	$(BIN)/python docs/generate.py

benchmark: .venv/.installed-test  ## speed of evaluation, of training and of search, as ratios within one run
	$(BIN)/python tests/benchmarks/evaluation.py
	$(BIN)/python tests/benchmarks/training.py
	$(BIN)/python tests/benchmarks/search.py

clean:
	rm -rf .venv dist build .mypy_cache .pytest_cache .ruff_cache

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "msl needs Python 3.11 to 3.13: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv

.venv/.installed: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

.venv/.installed-test: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $@ .venv/.installed
