# Two commands on a fresh machine: `make demo` and `make test`. Each makes what it needs in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO ?= demo
# Tests at a time, each on one thread.
TESTS ?= 2
# What Qt needs of a Debian or Ubuntu system, for the window and its tests.
QT_LIBRARIES := libegl1 libgl1 libxkbcommon-x11-0 libfontconfig1 libdbus-1-3 libglib2.0-0 fonts-dejavu-core \
	libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-render-util0

.PHONY: demo test check format clean

demo: $(STAMP)  ## draw the sample, adapt to it, print before and after
	$(BIN)/isthmus demo --folder $(DEMO)

test: $(STAMP) check  ## everything that must hold
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q --numprocesses $(TESTS) --dist loadgroup

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: Python 3.11 or newer is needed; name it with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get update -qq && apt-get install -y -qq python3-venv; \
		else \
			echo "error: Python cannot make environments; install Debian's package python3-venv"; exit 1; \
		fi; $(PYTHON) -m venv $(VENV); }
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable '.[dev]'
	@QT_QPA_PLATFORM=offscreen $(BIN)/python -c 'import PySide6.QtWidgets, PySide6.QtSvg' 2>/dev/null || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get update -qq && apt-get install -y -qq $(QT_LIBRARIES); \
		else \
			echo "note: the window needs system libraries: sudo apt install $(QT_LIBRARIES)"; \
		fi; }
	@touch $@

clean:
	rm -rf $(VENV) $(DEMO) build dist *.egg-info
