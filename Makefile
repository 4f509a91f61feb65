# Lianmeng (联盟). `make help` lists what there is.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
# Another installer, for a site whose package index is known to pip only:
#   make setup INSTALL=".venv/bin/python -m pip install"
INSTALL ?= $(BIN)/uv pip install --compile-bytecode --python $(BIN)/python

export LC_ALL := C.UTF-8
say = @printf '\n\033[1m== %s\033[0m\n'

.DEFAULT_GOAL := help
.PHONY: help setup run test lint types layers deps lint-proto pytest fmt docs proto proto-baseline \
        lock bench clean

##@ Start here

help:  ## Show this list
	@awk 'BEGIN {FS = ":.*## "} \
	  /^##@ / {printf "\n\033[1m%s\033[0m\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## Make .venv with the `lianmeng` command in it (about a minute, once)

run: $(READY)  ## Run the whole system on a seeded world and tell the story
	@$(BIN)/lianmeng run

##@ Check

test: lint types layers deps lint-proto pytest  ## All checks and all tests (under ten minutes)
	$(say) "all checks passed"

lint: $(READY)  ## ruff: rules and format
	$(say) "lint: ruff"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(READY)  ## mypy --strict over all code
	$(say) "types: mypy --strict"
	@$(BIN)/mypy services tests tools $(wildcard bench)

layers: $(READY)  ## import-linter: who may import whom
	$(say) "layers: import-linter"
	@$(BIN)/lint-imports --no-logo

deps: $(READY)  ## deptry: what is imported is declared, what is declared is imported
	$(say) "dependencies: deptry"
	@$(BIN)/deptry .

lint-proto: $(READY)  ## buf lint over proto/
	$(say) "contract: buf lint"
	@$(BIN)/buf lint

pytest: $(READY)  ## All tests; one file or word: make pytest T="tests/unit -k money"
	$(say) "tests: pytest $(T)"
	@$(BIN)/pytest $(T)

bench: $(READY)  ## Benchmarks, with their ratios
	@$(BIN)/python -m bench

##@ Write

fmt: $(READY)  ## Format the code and mend what ruff can mend
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

docs: $(READY)  ## Write docs/reference anew from the code
	@$(BIN)/python -m tools.generate_docs

proto: $(READY)  ## Generate services/lianmeng/v1 from proto/
	@$(BIN)/python -m tools.generate_proto

proto-baseline: $(READY)  ## Freeze the contract of a release: make proto-baseline VERSION=0.1
	@test -n "$(VERSION)" || { echo "say which release: make proto-baseline VERSION=0.1"; exit 2; }
	@mkdir -p tests/architecture/baseline
	@$(BIN)/buf build -o tests/architecture/baseline/v$(VERSION).binpb

lock: $(READY)  ## Resolve requirements*.txt anew from pyproject.toml; newest: make lock UP=--upgrade
	@$(BIN)/uv pip compile -q $(UP) $(LOCK) requirements-uv.in -o requirements-uv.txt
	@$(BIN)/uv pip compile -q $(UP) $(LOCK) --all-extras pyproject.toml -o requirements.txt

LOCK := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

clean:  ## Remove .venv, caches and what a story wrote
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .benchmarks
	rm -rf lianmeng-data story.html
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is newer than what it was made from, so a second `make setup` does nothing.
$(READY): requirements.txt requirements-uv.txt pyproject.toml
	$(say) "setup: $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' || { \
	  echo "Python 3.11 to 3.14 is needed, $(PYTHON) is not that. Name one: make setup PYTHON=python3.12"; \
	  echo "需要 Python 3.11 至 3.14，可以指定：make setup PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv"; \
	  echo "$(PYTHON) 无法创建虚拟环境。在 Debian 或 Ubuntu 上请运行：apt-get install python3-venv"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-uv.txt
	@$(INSTALL) --require-hashes -r requirements.txt
	@$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@
