# Everything lives in .venv and build; `make clean` removes both. No target needs another to be called first.
PY := .venv/bin/python
PIP := $(PY) -m pip install --disable-pip-version-check --no-input --no-compile --prefer-binary
ARGS ?=

.PHONY: help demo ui ui-built test test-long soak check format lint types ui-types layers imports shape bench docs clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  make %-11s %s\n", $$1, $$2 }'

demo: .venv/.demo ## train a small model 9 times on real data, each a tracked run, and compare
	@$(PY) examples/digits/demo.py

ui: .venv/.made ## build the app that `runfolio ui` serves, if its sources have changed
	@sh tools/system_packages.sh node npm
	@$(PY) tools/ui.py build

test: .venv/.test .venv/.system ui-built ## run the tests (ARGS="-k word -x" goes to pytest)
	@$(PY) tools/ui.py test
	@$(PY) -m pytest --numprocesses auto --dist loadfile $(ARGS)

test-long: .venv/.test .venv/.system ui-built ## run the larger forms of the fault tests, up to an hour
	@$(PY) -m pytest -m long --timeout 3000 $(ARGS)

soak: .venv/.test .venv/.system ui-built ## run them with the full numbers, once per release
	@RUNFOLIO_SOAK=1 $(PY) -m pytest -m long --timeout 0 $(ARGS)

check: format lint types ui-types layers imports shape ## format, lint, types, layers, import budget, cycles

format: .venv/.check
	@$(PY) -m ruff format --check .

lint: .venv/.check
	@$(PY) -m ruff check .

types: .venv/.check
	@$(PY) -m mypy

ui-types: .venv/.made
	@$(PY) tools/ui.py check

layers: .venv/.check
	@.venv/bin/lint-imports --no-logo

imports: .venv/.check
	@$(PY) tools/import_budget.py

shape: .venv/.made ## files, lines, functions and import cycles of each room
	@$(PY) tools/shape.py

bench: .venv/.test ## measure against the gates
	@$(PY) bench/gates.py $(ARGS)

docs: .venv/.check ## check every link and render the docs to build/docs
	@$(PY) tools/docs.py

clean: ## remove what the targets made
	rm -rf .venv build dist ui/node_modules src/runfolio/server/ui .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache
	find src tests tools bench examples -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

# One virtual environment, filled by what a target needs.

.venv/.made:
	@sh tools/make_venv.sh .venv
	@touch $@

.venv/.demo .venv/.test .venv/.check: .venv/.%: .venv/.made pyproject.toml
	@echo "Installing what 'make $*' needs into .venv …"
	@$(PIP) --editable '.[$*]'
	@touch $@

ui-built: .venv/.system
	@$(PY) tools/ui.py build

.venv/.system: .venv/.made tools/system_packages.sh
	@sh tools/system_packages.sh
	@touch $@
