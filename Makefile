# Two commands do all the set-up on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test lint check clean

# The program alone: all that `make demo` needs.
$(VENV)/program: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

# `pip install --group` came with pip 25.1; what Python brings is often older.
$(VENV)/installed: $(VENV)/program
	$(BIN)/pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/pip install --quiet --group dev
	@touch $@

demo: $(VENV)/program
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
