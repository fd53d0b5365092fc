# Two commands: `make run` serves the demonstration instance, `make test` checks everything.
PYTHON ?= python3
BIN := .venv/bin
STORE ?= var/demo
PORT ?= 8000
WORKERS ?= 2

.PHONY: run test check lock assets clean

run: .venv/run assets
	test -f $(STORE)/CURRENT || $(BIN)/thc-graph --store $(STORE) init --demo
	$(BIN)/thc-graph --store $(STORE) serve --port $(PORT)

test: .venv/test check
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

check: .venv/test
	$(BIN)/ruff format --check src tests scripts benchmarks
	$(BIN)/ruff check src tests scripts benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports

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
