# `make help` lists the targets. Everything is installed into .venv, nothing outside this folder.
PYTHON ?= python3
VENV := .venv
# What the study needs, and what tests and development add to it: a lock each.
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# Some images forbid Python to keep compiled modules; importing Lightning then takes 20 s each time.
export PYTHONDONTWRITEBYTECODE :=
# The locks are solved for these minor versions of Python 3: from the first up to below the second.
PYTHONS := $(shell sed -n 's/^requires-python = ">=3\.\([0-9]*\),<3\.\([0-9]*\)".*/\1 \2/p' pyproject.toml)
OLDEST := $(word 1,$(PYTHONS))
TOO_NEW := $(word 2,$(PYTHONS))

# Makes the environment equal to the locks given; this folder itself is linked into it.
define install
@VIRTUAL_ENV=$(CURDIR)/$(VENV) uv pip sync --quiet $(1)
@VIRTUAL_ENV=$(CURDIR)/$(VENV) uv pip install --quiet --no-deps --no-build-isolation --editable .
@touch $@
endef

.DEFAULT_GOAL := help

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; oldest, newest, this = $(OLDEST), $(TOO_NEW) - 1, sys.version_info; \
		sys.exit(not (3, oldest) <= this[:2] <= (3, newest) and \
		"gatewise needs Python 3.%d to 3.%d, this is %d.%d; try make PYTHON=python3.%d" \
		% (oldest, newest, this[0], this[1], newest))'
	@echo "building $(VENV) (about a minute; on Linux 3.4 GB are downloaded, 6.6 GB installed)"
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@# uv is locked like everything else: take its own entry out of the lock to start with.
	@awk '/^uv==/{found=1} found{print; if (!/\\$$/) exit}' requirements.lock > $(VENV)/uv.lock.txt
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(VENV)/uv.lock.txt
	@# Who has the tools of development keeps them.
	$(call install,requirements.lock $(if $(wildcard $(READY_DEV)),requirements-dev.lock))
	@# What numba compiles once on a machine, so that no study waits for it.
	@$(VENV)/bin/python -c "import pipeline, gatewise.models.cells.compiled, gatewise.training.augmentation"

$(READY_DEV): requirements-dev.lock | $(READY)
	@echo "adding what tests and development need (on Linux 0.3 GB are downloaded, 0.7 GB installed)"
	$(call install,requirements.lock requirements-dev.lock)

.PHONY: env
env: $(READY) ## build or update .venv: what the study needs
.PHONY: dev
dev: $(READY_DEV) ## the same, and what tests and development add

.PHONY: repro
repro: $(READY) ## run the study: data, training, verdicts, report; every run in MLflow
	gatewise repro

# A file's tests stay in one process, which makes what they share once; dear files are begun first.
PYTEST := pytest -n 2 --dist loadscope --no-loadscope-reorder --durations 25
.PHONY: test
test: $(READY_DEV) ## run the tests, but those of `make weekly`
	$(PYTEST) -m 'not weekly'
.PHONY: weekly
weekly: $(READY_DEV) ## the tests that take long and seldom break: simulations, kills, soaks
	$(PYTEST) -m weekly

.PHONY: tiny
tiny: $(READY) ## the whole pipeline on tiny settings, in .gatewise/tiny
	rm -rf .gatewise/tiny
	git clone --quiet --local . .gatewise/tiny
	cp docs/studies/tiny.yaml .gatewise/tiny/params.yaml
	cd .gatewise/tiny && gatewise retrain --step repro --step track --step gate

.PHONY: lint
lint: $(READY_DEV) ## style, formatting, types, layers of imports, and CI workflows (schema, security)
	ruff check .
	ruff format --check .
	mypy
	lint-imports --no-cache
	check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	check-jsonschema --builtin-schema vendor.gitlab-ci .gitlab-ci.yml
	zizmor --offline --quiet --no-progress .github/workflows

.PHONY: audit
audit: $(READY) ## the locks against known advisories (needs a network; installs nothing)
	.ci/audit requirements.lock requirements-dev.lock

.PHONY: bench
bench: $(READY_DEV) ## measure speed against references; table and history in benchmarks/results
	python -m benchmarks

.PHONY: keras
keras: $(READY) ## the environment that `make bench` compares Keras in, in .gatewise/keras (0.5 GB)
	@test -x .gatewise/keras/bin/python || $(VENV)/bin/python -m venv .gatewise/keras
	@VIRTUAL_ENV=$(CURDIR)/.gatewise/keras uv pip sync --quiet benchmarks/keras.lock

.PHONY: ui
ui: $(READY) ## review the runs in MLflow on http://127.0.0.1:5000
	gatewise ui

COMPILE := uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.$(OLDEST)

.PHONY: lock
lock: $(READY) ## solve both locks anew from pyproject.toml
	$(COMPILE) --group env --output-file requirements.lock pyproject.toml
	$(COMPILE) --group dev --constraints requirements.lock --output-file requirements-dev.lock

.PHONY: clean
clean: ## remove everything the pipeline made (data, runs, reports, MLflow store), not .venv
	rm -rf data/plan data/raw data/prepared data/tuned runs reports mlflow.db* mlartifacts mlruns .gatewise

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
