# make help lists the targets. Settings: PYTHON (3.10 to 3.14), MXNET (cpu, or cu112 for NVIDIA GPUs), VENV, WORKERS
# (processes of `make test`, one thread each; 0: this one alone), and HOROVOD=no, which spares `make test` Horovod's
# build: the tests with several processes are skipped then.
PYTHON ?= python3
MXNET ?= cpu
VENV ?= .venv
WORKERS ?= 2

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
SOURCES := setup.py pyproject.toml gluon_attn/version.py
RUN_STAMP := $(VENV)/.installed-$(MXNET)
DEV_STAMP := $(VENV)/.installed-$(MXNET)-dev
DOCS_STAMP := $(VENV)/.installed-$(MXNET)-docs
HOROVOD_STAMP := $(VENV)/.installed-$(MXNET)-horovod
# a worker that has nothing left takes tests from the other; tests that share a fixture mostly stay together
PYTEST := $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal --durations 15
# MXNet's wheel asks for NumPy 1, which has no wheels for Python 3.13 and later
WHEEL := $(if $(filter cpu,$(MXNET)),mxnet,mxnet-$(MXNET))==1.9.1
INSTALL_MXNET = $(BIN)/python -c 'import sys; sys.exit(sys.version_info >= (3, 13))' || $(PIP) --no-deps $(WHEEL)
TEST_STAMPS := $(DEV_STAMP) $(if $(filter no,$(HOROVOD)),,$(HOROVOD_STAMP))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help venv setup horovod demo params test test-all lint format docs bench bench-table clean

help:  ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

venv: $(RUN_STAMP)  ## make .venv with all that the commands need
	@echo "ready: $(BIN)/gluon-attn --help"

horovod: $(HOROVOD_STAMP)  ## build Horovod for training with several processes, two to four minutes

setup: $(TEST_STAMPS)  ## install all that tests need, Horovod too

# Horovod's build and horovodrun import MXNet bare, without the NumPy aliases that gluon_attn puts back: hence the
# sitecustomize for the one and the .pth file for the other.
HORUN_PTH := import sys; any(a.endswith('horovodrun') for a in sys.orig_argv[1:2]) and __import__('gluon_attn')
$(HOROVOD_STAMP): $(RUN_STAMP)
	@echo "building Horovod, two to four minutes"
	@$(PIP) 'setuptools<70' wheel 'cmake<4'
	@mkdir -p $(VENV)/build-hook && echo 'import gluon_attn' > $(VENV)/build-hook/sitecustomize.py
	@HOROVOD_WITH_MXNET=1 HOROVOD_WITHOUT_PYTORCH=1 HOROVOD_WITHOUT_TENSORFLOW=1 HOROVOD_WITH_GLOO=1 \
	  HOROVOD_WITHOUT_MPI=1 PATH="$(abspath $(BIN)):$$PATH" PYTHONPATH="$(abspath $(VENV)/build-hook)" \
	  $(PIP) --no-build-isolation -e '.[$(MXNET),horovod]'
	@$(BIN)/python -c 'import sys, sysconfig; from pathlib import Path; \
	  Path(sysconfig.get_path("purelib"), "gluon_attn_horovodrun.pth").write_text(sys.argv[1])' "$(HORUN_PTH)"
	@touch $@

demo: $(RUN_STAMP)  ## install, then train, compare, export and check four networks on real digits
	@$(BIN)/gluon-attn demo

params: $(RUN_STAMP)  ## train the published networks of params/ again, some fifteen minutes
	@$(BIN)/python params/training/digits.py

test: $(TEST_STAMPS)  ## install, then run the tests that CI runs
	@$(PYTEST) -m "not slow"

test-all: $(TEST_STAMPS)  ## the same with the slow tests
	@$(PYTEST)

lint: $(DEV_STAMP)  ## check style, spelling and types
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/codespell && $(BIN)/mypy

format: $(DEV_STAMP)  ## put the style right
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

docs: $(DOCS_STAMP)  ## build the site of the documentation into site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "open site/index.html"

bench: $(RUN_STAMP)  ## run every benchmark against PyTorch and others, and print its table
	@$(PIP) -e '.[$(MXNET),onnx,openvino,torch]'
	@for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

bench-table: $(RUN_STAMP)  ## make the tables of README and docs/results.md from benchmarks/results
	@$(BIN)/python docs/generate.py README.md docs/results.md

clean:  ## remove .venv and what builds and tests leave
	rm -rf $(VENV) build dist site *.egg-info .pytest_cache .ruff_cache .mypy_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUN_STAMP): $(SOURCES) | $(BIN)/python
	@echo "installing into $(VENV), about a minute"
	@$(PIP) -e '.[$(MXNET),onnx,sweep]'
	@$(INSTALL_MXNET)
	@touch $@

$(DEV_STAMP): $(SOURCES) | $(BIN)/python
	@echo "installing into $(VENV), about a minute"
	@$(PIP) -e '.[$(MXNET),onnx,dev]'
	@$(INSTALL_MXNET)
	@touch $@ $(RUN_STAMP)

$(DOCS_STAMP): $(RUN_STAMP)
	@echo "installing MkDocs into $(VENV), some seconds"
	@$(PIP) -e '.[$(MXNET),onnx,sweep,docs]'
	@touch $@

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not here: name another one with make PYTHON=..." >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 15))' || \
	  { echo "Python 3.10 to 3.14 is needed: name one with make PYTHON=python3.11" >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "Python's venv module is missing: apt install python3-venv" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV)
