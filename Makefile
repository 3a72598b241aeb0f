# make run      open the application (makes .venv first, if needed)
# make test     run all tests off-screen (makes the environment with the test extras, if needed)
# make check    what a change must pass: lint, format, types, tests
# make install  .venv with every extra, for development
# make pictures the documents' pictures anew, and the window in every state into build/pictures
# make zoo-table  docs/zoo.md anew: every network of the public zoos, opened and examined (hours; Linux)
# make clean    remove .venv and caches
# On Windows: .\make.ps1 run, .\make.ps1 test, ...

VENV := .venv
PYTHON := $(VENV)/bin/python
PIP := $(PYTHON) -m pip --disable-pip-version-check install --quiet -c constraints.txt
STATES := build/pictures
# A process for each core, which takes a file of tests at a time and computes with one thread.
PARALLEL := -n auto --dist loadfile
DEPENDENCIES := pyproject.toml constraints.txt

.PHONY: run test check install pictures zoo-table clean
.DELETE_ON_ERROR:

run: $(VENV)/.made-run
	$(PYTHON) -m segviz

test: $(VENV)/.made-test
	$(PYTHON) -m segviz.cli.system
	QT_QPA_PLATFORM=offscreen OMP_NUM_THREADS=1 $(PYTHON) -m pytest $(PARALLEL) $(TESTS)

check: $(VENV)/.made-install
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m mypy
	$(PYTHON) -m segviz.cli.system
	QT_QPA_PLATFORM=offscreen OMP_NUM_THREADS=1 $(PYTHON) -m pytest $(PARALLEL) $(TESTS)

install: $(VENV)/.made-install

pictures: $(VENV)/.made-test
	$(PYTHON) -m segviz.cli.system
	$(PYTHON) docs/pictures.py
	QT_QPA_PLATFORM=offscreen $(PYTHON) -m tests.gui.render_states $(STATES)
	@echo "The window in every state is in $(STATES)"

zoo-table: $(VENV)/.made-install
	OMP_NUM_THREADS=1 $(PYTHON) -m benchmarks.zoo_table $(SPECS)

# Each stamp says which extras the environment has; a later one holds all of the earlier ones.
$(VENV)/.made-run: $(VENV)/.made
	@echo "Installing segviz and what it needs (torch is large: the first time takes a few minutes) ..."
	$(PIP) --no-build-isolation -e .
	@touch $@

$(VENV)/.made-test: $(VENV)/.made
	@echo "Installing segviz, what it needs and the tests' tools (the first time takes a few minutes) ..."
	$(PIP) --no-build-isolation -e '.[test]'
	@touch $(VENV)/.made-run $@

$(VENV)/.made-install: $(VENV)/.made
	@echo "Installing segviz with every extra (the first time takes a few minutes) ..."
	$(PIP) --no-build-isolation -e '.[zoo,onnx,test,dev]'
	@touch $(VENV)/.made-run $(VENV)/.made-test $@

# The system's own Python first, if it is new enough and can make an environment (Debian splits that off).
$(VENV)/.made: $(DEPENDENCIES)
	@python=; for candidate in python3 python3.13 python3.12 python3.11 python; do \
	  if "$$candidate" -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then echo "segviz needs Python 3.11 or newer with its venv, and found none (Debian, Ubuntu: sudo apt-get install python3 python3-venv)" >&2; exit 1; fi; \
	[ -x $(PYTHON) ] || "$$python" -m venv $(VENV) || { rm -rf $(VENV); echo "$$python cannot make an environment (Debian, Ubuntu: sudo apt-get install python3-venv)" >&2; exit 1; }
	$(PIP) hatchling editables
	@touch $@

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find segviz tests -name __pycache__ -type d -prune -exec rm -rf {} +
