# Each target does its own set-up: all that a machine needs is Python 3.11 or newer and make.
#   make PYTHON=python3.12 test     another interpreter
#   make demo ARGS="--help"         more words for the command
#   make unit ARGS="tests/house"    some of the tests

PYTHON ?= python3
ARGS ?=
SEEDS ?= 3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKFLOWS = $(filter-out %.test.yaml,$(wildcard workflows/*.yaml))

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test long chaos format docs pictures setup format-check lint types docs-check workflows unit wheel clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: setup ## watch a model in production, live, for two minutes
	@$(BIN)/manometer demo $(ARGS)

test: setup format-check lint types docs-check workflows unit ## everything that CI runs: format, lint, types, docs, workflows, tests

long: setup ## the long forms of the checks and benchmarks; writes docs/long-runs.md
	@echo "== long checks"
	@$(BIN)/python -m benchmarks.long $(ARGS)

chaos: setup ## workers and a real Kafka killed from SEEDS seeds while 100,000 records flow; `make chaos SEEDS=50`
	@echo "== chaos"
	@$(BIN)/python -m tests.kafka.chaos_runs --seeds $(SEEDS) $(ARGS)

format: setup ## format the code and mend what the linter can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: setup ## write the generated parts of docs/, and the boards, anew
	@$(BIN)/python -m manometer.reference --write

pictures: setup ## take the pictures of the live board in docs/pictures/ anew, of the demo; needs Chromium, takes minutes
	@echo "== pictures"
	@$(BIN)/python -m tools.board_pictures

setup: $(STAMP) ## make .venv and install everything at the versions of constraints.txt

format-check: setup ## is the code formatted?
	@echo "== format"
	@$(BIN)/ruff format --check --diff .

lint: setup ## what does the linter find?
	@echo "== lint"
	@$(BIN)/ruff check .

types: setup ## what does the type checker find?
	@echo "== types"
	@$(BIN)/mypy

docs-check: setup ## are the generated parts of docs/ current?
	@echo "== generated docs"
	@$(BIN)/python -m manometer.reference --check

workflows: setup ## check the shipped workflow files and run the tests beside them
	@echo "== workflows"
	@$(BIN)/manometer check $(WORKFLOWS)
	@$(BIN)/manometer test $(WORKFLOWS)

unit: setup ## the tests, in random order and on all cores, doctests and docs examples among them
	@echo "== tests"
	@$(BIN)/python -m pytest -n auto --dist loadgroup $(ARGS)

wheel: setup ## build dist/*.whl and dist/*.tar.gz
	@$(BIN)/python -m hatchling build

clean: ## take away what was built, .venv too
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@echo "== virtual environment $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit("Manometer needs Python 3.11 or newer, not %d.%d; try: make PYTHON=python3.12" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "no virtual environment; on Debian: apt-get install python3-venv" >&2; exit 1; }

# The stamp is older than these two files whenever something may have to be installed.
$(STAMP): pyproject.toml constraints.txt | $(BIN)/python
	@echo "== install"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
