# Two commands to remember: `make tour` and `make test`. Each makes the environment it needs.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
MINUTES ?= 6
STUDY ?= study/tour

.PHONY: tour test check lint types layers docs bench reproductions studies study-text clean

tour: $(VENV)/.tour          ## train a ladder on real text, fit, plan, report
	$(BIN)/isoflop tour -o $(STUDY) --minutes $(MINUTES)

test: check                  ## lint, types, layers, docs, then every fast test
	$(BIN)/python -m pytest -q -n 2 -m "not study"

check: lint layers types     ## what needs no running

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell isoflop tests docs benchmarks studies README.md CHANGELOG.md

layers: $(VENV)/.dev
	$(BIN)/lint-imports

types: $(VENV)/.dev
	$(BIN)/pyright

docs: $(VENV)/.dev           ## write the pages that are generated from the code
	$(BIN)/python docs/generate.py

studies: $(VENV)/.dev        ## slow statistical and training studies
	$(BIN)/python -m pytest -q -s -m study

study-text: $(VENV)/.tour    ## some CPU hours: every law from models trained here; resumes
	$(BIN)/isoflop corpus get english
	$(BIN)/isoflop corpus get linux-c
	$(BIN)/python -m studies.text $(if $(HOURS),--hours $(HOURS))

bench: $(VENV)/.dev          ## ratios against baselines, in one run
	$(BIN)/python -m benchmarks

reproductions: $(VENV)/.dev  ## published results found again, and checked against their pages
	$(BIN)/python -m benchmarks.reproductions

clean:
	rm -rf $(VENV) build dist *.egg-info

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.tour: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[all]'
	touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[all,dev]'
	touch $@ $(VENV)/.tour
