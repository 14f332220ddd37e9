PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

.PHONY: demo test test-all test-triton lint clean

demo: .venv/.ready
	$(BIN)/slth demo

test: .venv/.ready
	$(BIN)/python -m pytest -m "not slow"

test-all: .venv/.ready
	$(BIN)/python -m pytest

test-triton: .venv/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[triton]' -c constraints.txt
	$(BIN)/python -m pytest tests/subset_sum/test_cuda.py

lint: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/mypy

.venv/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]' -c constraints.txt
	@touch $@

clean:
	rm -rf .venv build dist
