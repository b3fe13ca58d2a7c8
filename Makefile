# `make help` lists the targets. Everything is installed into .venv, nothing outside this folder.
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# Some images forbid Python to keep compiled modules; importing Lightning then takes 20 s each time.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "gatewise needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; try make PYTHON=python3.12")'
	@echo "building $(VENV) (about a minute, 6.5 GB)"
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@# uv is locked like everything else: take its own entry out of the lock to start with.
	@awk '/^uv==/{found=1} found{print; if (!/\\$$/) exit}' requirements.lock > $(VENV)/uv.lock.txt
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(VENV)/uv.lock.txt
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) uv pip sync --quiet requirements.lock
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: env
env: $(READY) ## build or update .venv from the lock

.PHONY: repro
repro: $(READY) ## run the study: data, training, verdicts, report; every run in MLflow
	gatewise repro

.PHONY: test
test: $(READY) ## run all tests
	pytest -n 2 --dist worksteal

.PHONY: tiny
tiny: $(READY) ## the whole pipeline on tiny settings, in .gatewise/tiny
	rm -rf .gatewise/tiny
	git clone --quiet --local . .gatewise/tiny
	cp docs/studies/tiny.yaml .gatewise/tiny/params.yaml
	cd .gatewise/tiny && gatewise retrain --step repro --step track --step gate

.PHONY: lint
lint: $(READY) ## style, formatting, types, and CI workflows (schema, security)
	ruff check .
	ruff format --check .
	mypy
	check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	check-jsonschema --builtin-schema vendor.gitlab-ci .gitlab-ci.yml
	zizmor --offline --quiet --no-progress .github/workflows

.PHONY: bench
bench: $(READY) ## measure speed against references; table and history in benchmarks/results
	python -m benchmarks

.PHONY: keras
keras: $(READY) ## the environment that `make bench` compares Keras in, in .gatewise/keras (0.5 GB)
	@test -x .gatewise/keras/bin/python || $(VENV)/bin/python -m venv .gatewise/keras
	@VIRTUAL_ENV=$(CURDIR)/.gatewise/keras uv pip sync --quiet benchmarks/keras.lock

.PHONY: ui
ui: $(READY) ## review the runs in MLflow on http://127.0.0.1:5000
	gatewise ui

.PHONY: lock
lock: $(READY) ## solve requirements.lock anew from pyproject.toml
	uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
		--group dev --extra hub --output-file requirements.lock pyproject.toml

.PHONY: clean
clean: ## remove everything the pipeline made (data, runs, reports, MLflow store), not .venv
	rm -rf data/plan data/raw data/prepared runs reports mlflow.db* mlartifacts mlruns .gatewise

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
