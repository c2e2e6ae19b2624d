# make dream PROMPT="a bowl of cherries"   sets everything up and dreams with the embedded models
# make test                                sets everything up and runs every check and test
# make bot                                 starts the Discord bot (needs DISCORD_TOKEN in the environment or .env)

PYTHON ?= python3
VENV ?= .venv
PROMPT ?= a bowl of cherries
TORCH ?= torch==2.13.0
export PROMPT

BIN := $(VENV)/bin
.PHONY: dream test bot format clean

dream: $(VENV)/.installed
	@$(BIN)/dream "$$PROMPT"

bot: $(VENV)/.installed
	@$(BIN)/python -m bot

test: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n auto

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache

# Without a GPU this very version of torch is installed first: a newer one would bring gigabytes for CUDA.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Oneiro needs Python 3.11 or newer; set PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	@command -v nvidia-smi >/dev/null || $(BIN)/python -c 'import torch' 2>/dev/null \
		|| { echo "Installing $(TORCH) …"; $(BIN)/pip install --quiet '$(TORCH)'; }

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	@echo "Installing Oneiro …"
	@$(BIN)/pip install --quiet --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/bin/python pyproject.toml
	@echo "Installing Oneiro and what its tests need …"
	@$(BIN)/pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/.installed
