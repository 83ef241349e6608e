# Two commands do all the set-up on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
NEWEST := .cache/newest
PIP := pip --quiet --disable-pip-version-check

.PHONY: demo test test-quick test-newest soak lint check lock clean site

# The program alone: all that `make demo` needs.
$(VENV)/program: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/$(PIP) install --editable .
	@touch $@

# Everything that the tests need, in the versions of the lock file; what `make demo` installed is replaced.
$(VENV)/installed: pyproject.toml requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/$(PIP) install --require-hashes --requirement requirements-dev.txt
	$(BIN)/$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/program

demo: $(VENV)/program
	$(BIN)/gitops-ci demo

# TESTS="-k bump -x" goes to pytest.
test: $(VENV)/installed
	@PATH="$(abspath $(BIN)):$$PATH" tests/run $(TESTS)

# The tests that start no service and no program of the network: what to run while writing.
test-quick: $(VENV)/installed
	@PATH="$(abspath $(BIN)):$$PATH" python -m pytest --numprocesses 2 tests/unit tests/contract $(TESTS)

# The same tests with the newest packages that pyproject.toml allows: what `make lock` would bring. `pip install
# --group` came with pip 25.1; what Python brings is often older.
test-newest:
	$(PYTHON) -m venv --clear $(NEWEST)
	$(NEWEST)/bin/$(PIP) install --upgrade "pip>=25.1"
	$(NEWEST)/bin/$(PIP) install --editable . --group dev
	@PATH="$(abspath $(NEWEST)/bin):$$PATH" tests/run --deselect \
		tests/test_locks.py::test_the_tests_run_with_the_locked_versions $(TESTS)

# The tests that invent their inputs, with 50 times as many as in `make test`, and others in every run.
soak: $(VENV)/installed
	@PATH="$(abspath $(BIN)):$$PATH" TESTS_SOAK=true python -m pytest --numprocesses 2 -m soak $(TESTS)

# The documentation site, with the reference made from the program; a broken link is an error. Zensical is what the authors
# of Material for MkDocs maintain now, and it reads the same mkdocs.yml; MkDocs has had no release since 2024.
site: $(VENV)/program
	$(PYTHON) -m venv .cache/site
	.cache/site/bin/$(PIP) install 'zensical>=0.0.73,<0.2'
	$(BIN)/python scripts/build_site.py .cache/site/source
	.cache/site/bin/zensical build --strict --clean --config-file .cache/site/source/mkdocs.yml
	rm -rf .cache/site/html && mv .cache/site/source/site .cache/site/html

lint: $(VENV)/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

check: lint test

# All lock files again, with the newest versions.
lock:
	PYTHON=$(PYTHON) scripts/lock

clean:
	rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache
