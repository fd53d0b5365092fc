# Two commands: `make run` serves the demonstration instance, `make test` checks the work.
# Around it stand three circles of tests: CONTRIBUTING.md says which to run when.
PYTHON ?= python3
BIN := .venv/bin
STORE ?= var/demo
PORT ?= 8000
WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest
SHARED := -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: run test test-quick test-all test-long check lock assets clean

run: .venv/run assets
	test -f $(STORE)/CURRENT || $(BIN)/thc-graph --store $(STORE) init --demo
	$(BIN)/thc-graph --store $(STORE) serve --port $(PORT)

# What a thought waits for: no browser, no server, nothing that takes seconds.
test-quick: .venv/test
	$(PYTEST) $(SHARED) -m "not long and not all and not by_hand" --ignore=tests/walks --ignore=tests/conformance --ignore=tests/web --ignore=tests/cli

test: .venv/test check
	$(PYTEST) $(SHARED) -m "not all and not by_hand"

# The same, then what needs system parts or minutes. It stops by itself after an hour.
test-all: .venv/test check
	timeout --signal=INT --kill-after=60 3600 $(PYTEST) $(SHARED) -m "not by_hand" --durations=20

# Minutes to hours, alone on the machine: its figures go to notes.
test-long: .venv/test
	$(PYTEST) -m by_hand --capture=no --durations=0

check: .venv/test
	$(BIN)/ruff format --check src tests scripts benchmarks
	$(BIN)/ruff check src tests scripts benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vulture
	$(BIN)/python scripts/rooms.py

lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra assets pyproject.toml -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra test --extra assets pyproject.toml -o requirements-test.lock

.venv/run: requirements.lock pyproject.toml
	test -d .venv || $(PYTHON) -m venv .venv
	$(BIN)/pip install -q --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install -q --disable-pip-version-check --no-deps -e .
	touch $@

.venv/test: requirements-test.lock .venv/run
	$(BIN)/pip install -q --disable-pip-version-check -r requirements-test.lock
	touch $@

# The editor of /sparql, the map and the fonts; without npm the pages do without them.
assets:
	test -d src/thc_graph/web/static/vendor || ! command -v npm >/dev/null || \
	{ npm ci --ignore-scripts --omit=dev --no-audit --no-fund --silent && $(BIN)/python scripts/assets.py; } || \
	echo "npm could not install the front-end parts; the pages work without them." >&2

clean:
	rm -rf .venv var
