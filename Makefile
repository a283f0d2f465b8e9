# make run     the whole service, with PostgreSQL and Valkey of its own; make run EXTRAS=preview,embedded without torch
# make test    all tests, in three processes, each with servers of its own; make test ARGS="tests/billing -k ledger" some
# make lint    style; make types  types; make bench  benchmarks
# make constraints   the newest versions that pyproject.toml allows, written down in constraints.txt
# make clean   what can be made again; the data in var/ stays
#
# Each sets up what it needs, in .venv, the first time and whenever pyproject.toml or
# constraints.txt has changed: the versions in constraints.txt are installed, on every machine the same.

VENV := .venv
PYTHON := $(VENV)/bin/python
PIP := $(PYTHON) -m pip install --disable-pip-version-check
# On a terminal the installation shows what it does; elsewhere it speaks of errors alone.
QUIET = $$(test -t 2 || echo -qq)
EXACTLY := -c constraints.txt
ARGS ?=
EXTRAS ?= voice,embedded
# What was installed for `run`: each choice of extras has a mark of its own.
RUN_INSTALLED := $(VENV)/run-$(EXTRAS).installed

.PHONY: run test lint types bench constraints clean
.DELETE_ON_ERROR:

# `exec`: a signal to make goes straight to the supervisor, which stops the parts.
run: $(RUN_INSTALLED)
	@exec $(PYTHON) manage.py run

test: $(VENV)/dev.installed
	@$(PYTHON) -m pytest -n 3 --dist loadgroup --no-loadscope-reorder $(ARGS)

lint: $(VENV)/dev.installed
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@PYTHONPATH=platform:. $(VENV)/bin/lint-imports --no-logo

types: $(VENV)/dev.installed
	@$(PYTHON) -m mypy

bench: $(VENV)/dev.installed
	@$(PYTHON) -m tests.benchmarks $(ARGS)

constraints: $(VENV)/dev.installed
	@$(PIP) $(QUIET) --upgrade --upgrade-strategy eager -e '.[dev]'
	@{ sed -n '/^#/p' constraints.txt; $(PYTHON) -m pip freeze --exclude-editable | sed -E 's/\+cpu$$//' \
	  | grep -vE '^(pip|setuptools|wheel)=='; } > constraints.new && mv constraints.new constraints.txt
	@touch $(RUN_INSTALLED) $(VENV)/dev.installed

clean:
	rm -rf $(VENV) build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# By pip and not by uv, which reads no pip.conf: torch comes from whatever index pip is set to.
$(RUN_INSTALLED): pyproject.toml constraints.txt | $(VENV)/bin/pip
	@echo "Installing what the service needs into $(VENV) (once; some minutes) ..."
	@$(PIP) $(QUIET) $(EXACTLY) -e '.[$(EXTRAS)]'
	@touch $@

# It holds what `run` needs, too.
$(VENV)/dev.installed: pyproject.toml constraints.txt | $(VENV)/bin/pip
	@echo "Installing what the tests and checks need into $(VENV) (once; some minutes) ..."
	@$(PIP) $(QUIET) $(EXACTLY) -e '.[dev]'
	@touch $@ $(RUN_INSTALLED)

$(VENV)/bin/pip:
	@for python in python3.13 python3.12 python3.11 python3; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "Making $(VENV) with $$($$python --version) ..."; \
	    $$python -m venv --clear $(VENV) && exit 0; \
	    echo "$$python cannot make a virtual environment (Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; \
	  fi; \
	done; echo "Python 3.11 or newer is needed: none of python3.13, python3.12, python3.11, python3 is." >&2; exit 1
