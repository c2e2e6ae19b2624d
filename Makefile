# make run                                 sets everything up and opens the local channel in the browser
# make dream PROMPT="a bowl of cherries"   sets everything up and dreams with the embedded models
# make test                                sets everything up and runs every check and test
# make chaos N=20 SEED=1                   rounds of random faults under load; a table of broken promises
# make bot                                 starts the Discord bot (needs DISCORD_TOKEN in the environment or .env)
#
# PYTHON=python3.12                        the Python that sets it up
# TORCH=torch==2.13.0 TORCH_INDEX=URL      another torch, from another index; TORCH_INDEX= : from pip's own

PYTHON ?= python3
VENV ?= .venv
PROMPT ?= a bowl of cherries
N ?= 20
SEED ?= 1
TORCH ?= torch==2.13.0
# PyTorch's own index of builds without CUDA, a third of the size.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

# Words arrive as they were typed: make must not read a dollar sign in them, nor a shell a quote.
ifeq ($(origin PROMPT),command line)
override PROMPT := $(value PROMPT)
endif
# Whoever names a torch gets it, with a GPU, too.
TORCH_ASKED := $(filter-out file,$(origin TORCH) $(origin TORCH_INDEX))
export PROMPT TORCH TORCH_INDEX TORCH_ASKED

BIN := $(VENV)/bin
# Before all else, each time: where it was broken off, the build for CUDA would come with the rest.
INSTALL_TORCH = $(BIN)/python .ci/install_torch.py
.PHONY: run dream test chaos bot format clean

run: $(VENV)/.installed
	@OPEN_BROWSER=1 $(BIN)/oneiro-bot

dream: $(VENV)/.installed
	@$(BIN)/dream -- "$$PROMPT"

bot: $(VENV)/.installed
	@$(BIN)/oneiro-bot

test: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n auto

chaos: $(VENV)/.installed-dev
	$(BIN)/python -m tests.chaos --rounds $(N) --seed $(SEED)

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Oneiro needs Python 3.11 or newer; set PYTHON=...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	@$(INSTALL_TORCH)
	@echo "Installing Oneiro …"
	@$(BIN)/pip install --quiet --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/bin/python pyproject.toml
	@$(INSTALL_TORCH)
	@echo "Installing Oneiro and what its tests need …"
	@$(BIN)/pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/.installed
