# Two commands do all the set-up on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test lint check clean

# `pip install --group` came with pip 25.1; what Python brings is often older.
$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/pip install --quiet --editable . --group dev
	@touch $@

demo: $(VENV)/installed
	$(BIN)/gitops-ci demo

# TESTS="-k bump -x" goes to pytest.
test: $(VENV)/installed
	@PATH="$(abspath $(BIN)):$$PATH" tests/run $(TESTS)

lint: $(VENV)/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

check: lint test

clean:
	rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache
