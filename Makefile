# Everything that people and CI do with this repository. `make help` lists it.
# Overridable: PYTHON (the interpreter of .venv), WORKERS (tests at a time), LAB_PARTS (what `test-lab` starts; "none": nothing),
# TOOL (whose tests `test-terraform` runs).

PYTHON ?= $(shell command -v python3.11 || command -v python3)
WORKERS ?= $(shell expr $$(nproc) + 1)
LAB_PARTS ?= all
TOOL ?= terraform

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
REPORTS := build/reports
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# Processes that tests start take twice their time where Python may not keep what it compiled.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: demo check test test-lab test-terraform lint bench clean help

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | sort | column -ts "$$(printf '\t')"

# The pinned uv comes by pip, which checks its hash; everything else comes by uv, which checks the hashes too.
$(STAMP): requirements/dev.txt pyproject.toml
	@echo "making $(VENV) with $(PYTHON)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@sed -n '/^uv==/,/[^\\]$$/p' requirements/dev.txt >$(VENV)/uv.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.txt
	@$(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes --python $(BIN)/python requirements/dev.txt
	@$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
	@touch $@

demo: $(STAMP) ## the main job: train a model, register it, deploy it, ask it
	@examples/demo

# Tests go to workers by whole files, so that what a file's tests share is made once, and in the order of tests/conftest.py. More
# workers than processors: many tests wait.
check: lint ## lint, and the tests that start no process: under 90 s
	@$(BIN)/pytest -q -n $$(expr 3 \* $$(nproc)) --dist loadfile --no-loadscope-reorder -m "not lab and not process" tests/unit tests/contract

test: $(STAMP) ## all tests that need no root, engine or cluster, and the coverage they must reach
	@mkdir -p $(REPORTS) && rm -f $(REPORTS)/test.xml && $(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not lab" --junitxml=$(REPORTS)/test.xml
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage json --quiet -o $(REPORTS)/coverage.json
	@$(BIN)/python tools/check_coverage.py $(REPORTS)/coverage.json

# On a person's machine the lab stays up, so that the next run takes seconds: `lab/lab down` ends it. Most of these tests wait for
# something, so they run beside each other, but for those that look at the whole machine.
test-lab: $(STAMP) ## the tests on real parts, which lab/ starts (root on Debian)
	@mkdir -p $(REPORTS) && rm -f $(REPORTS)/test-lab.*
	@lab() { [ "$(LAB_PARTS)" = none ] || lab/lab "$$@"; }; result=0; \
	lab up $(LAB_PARTS) || result=$$?; \
	if [ $$result = 0 ]; then \
	  exports=$$(lab/lab env); eval "$$exports"; \
	  $(BIN)/pytest -q -m "lab and alone" --junitxml=$(REPORTS)/test-lab.alone.xml || result=$$?; \
	  $(BIN)/pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "lab and not alone" \
	    --junitxml=$(REPORTS)/test-lab.xml || result=$$?; \
	fi; \
	if [ $$result != 0 ]; then lab logs; fi; \
	if [ "$${CI:-}" = true ]; then lab down || result=1; fi; \
	exit $$result

test-terraform: $(STAMP) ## the tests of the Terraform modules alone, in one tool (TOOL=tofu for OpenTofu)
	@lab/lab up tools && eval "$$(lab/lab env)" && . lab/lib.sh && need_go && mkdir -p build/terraform && \
	  go build -C terraform/testing/provider -o $(CURDIR)/build/terraform/terraform-provider-aws . && \
	  $(BIN)/python tools/terraform_test.py build/terraform/terraform-provider-aws $(TOOL)

lint: $(STAMP) ## format, style, types, layers, sizes, leaks, generated pages
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python tools/check_size.py
	@$(BIN)/python tools/check_repository.py
	@$(BIN)/python tools/generate_reference.py --check
	@$(BIN)/python tools/make_chart.py --check

bench: $(STAMP) ## the published figures: ours beside the incumbent's
	@for script in benchmarks/*.py; do $(BIN)/python "$$script"; done

clean: ## remove what the others made here; a running lab stays (lab/lab down)
	@rm -rf $(VENV) build dist .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
