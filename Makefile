# eqhls: trained Lorentz-equivariant networks to verified trigger firmware.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# a process each core; a file stays in one, for its projects are built once
PARALLEL ?= -n auto --dist loadfile --no-loadscope-reorder
export PYTHONUNBUFFERED := 1
export KERAS_BACKEND ?= tensorflow
export TF_CPP_MIN_LOG_LEVEL ?= 3

# the tools of the tests that pip cannot install, by their packages of apt
TOOLS := ghdl iverilog tcl chromium
# as root, apt would fetch as a user that some containers do not let write
APT ?= apt-get -o APT::Sandbox::User=root

.PHONY: help tools demo test test-all lint oldest newest release bench route mutants synth docs site train clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 14

$(VENV)/core: pyproject.toml
	@echo "[setup] installing eqhls into $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/dev: $(VENV)/core
	@echo "[setup] installing the test tools and Keras"
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev,keras,jax,tensorflow,synth,onnx,h5,hep,dask,hls4ml,docs]'
	@touch $@

tools: ## install what the tests need beside pip: ghdl, iverilog, tclsh, chromium (apt-get, as root); without them tests skip
	@missing=""; for package in $(TOOLS); do \
	  tool=$${package/%tcl/tclsh}; command -v $$tool >/dev/null || missing="$$missing $$package"; done; \
	if test -z "$$missing"; then exit 0; fi; \
	if test "$$(id -u)" != 0; then echo "not root; run:  sudo $(APT) install$$missing"; exit 1; fi; \
	echo "[setup] installing$$missing"; \
	$(APT) update -qq && DEBIAN_FRONTEND=noninteractive $(APT) install -y -qq --no-install-recommends $$missing >/dev/null

demo: $(VENV)/core ## compile, simulate and prove models/tag16, from trigger words to the score; a few minutes
	@$(BIN)/eqhls compile models/tag16 -o build/tag16
	@$(BIN)/eqhls verify build/tag16 models/tag16/events.npz

test: $(VENV)/dev lint ## everything that CI runs
	@$(BIN)/python -m pytest $(PARALLEL) --durations=20 --durations-min=20 -m "not slow" tests

test-all: $(VENV)/dev lint ## with the slow sweeps
	@$(BIN)/python -m pytest $(PARALLEL) tests

lint: $(VENV)/dev ## ruff, and pyright in strict mode
	@$(BIN)/ruff check .
	@$(BIN)/pyright --pythonpath $(BIN)/python

# both ends of the ranges in pyproject.toml: the extras with ranges, and tests that use each of their packages
RANGED := test,keras,jax,tensorflow,onnx,hep,dask,docs
RANGE_TESTS := $(addprefix tests/unit/test_,commands.py events.py hep.py keras_backend.py options.py pictures.py report.py) \
  $(addprefix tests/tools/test_,keras.py many.py onnx_plain.py project.py site.py)
oldest: RESOLUTION := lowest-direct
newest: RESOLUTION := highest
oldest: ## the tests named RANGE_TESTS with the oldest packages that pyproject.toml allows, in build/oldest
newest: ## the same with the newest, in build/newest
oldest newest:
	@$(PYTHON) -m venv --clear build/$@
	@build/$@/bin/pip install --quiet --disable-pip-version-check uv
	@build/$@/bin/uv pip install --quiet --python build/$@/bin/python --resolution $(RESOLUTION) -e '.[$(RANGED)]'
	@build/$@/bin/python -m pytest -q $(RANGE_TESTS)

release: $(VENV)/dev ## wheel and source archive in build/dist, each installed and tried in a fresh environment
	@rm -rf build/dist
	@$(BIN)/python -m build --outdir build/dist
	@$(BIN)/python -m twine check --strict build/dist/*
	@$(BIN)/python tests/release.py build/release build/dist/*

synth: $(VENV)/dev ## Yosys counts of the demo's RTL
	@test -f build/lgn_top/eqhls.json || $(BIN)/eqhls compile models/lgn_top -o build/lgn_top
	@$(BIN)/eqhls synth build/lgn_top

bench: $(VENV)/dev ## figures of our models and their peers, as tables; BENCH="--yosys" counts cells too
	@cd tests && ../$(BIN)/python -m bench $(BENCH)

$(VENV)/route: $(VENV)/dev
	@echo "[setup] installing the tools for place and route"
	@$(BIN)/pip install --quiet --disable-pip-version-check -e '.[route]'
	@touch $@

route: $(VENV)/route ## place and route ours and peers for an ECP5-85k, 2 to 15 minutes each: make route ROUTE="NAME --seeds 1"
	@cd tests && ../$(BIN)/python -m bench.route $(ROUTE)

mutants: $(VENV)/dev ## faults put into three small designs, and how many the shipped bench sees; MUTANTS="--help" lists more
	@cd tests && ../$(BIN)/python -m mutants $(MUTANTS)

train: $(VENV)/dev ## train the models again: make train DATA=folder-with-toptag-files
	@for m in lgn_top lgn_top_small lgn_top_lab pelican_top pelican_nano; do $(BIN)/python models/$$m/train.py --data $(DATA) || exit 1; done
	@$(BIN)/python models/checkpoints/train.py --data $(DATA)
	@$(BIN)/python models/words/train.py --data $(DATA)

docs: $(VENV)/dev ## write the generated pages and pictures again
	@$(BIN)/eqhls catalogue -o docs/ops.md
	@$(BIN)/eqhls catalogue --onnx -o docs/onnx-operators.md
	@$(BIN)/python docs/op_curves.py
	@$(BIN)/python docs/floors.py
	@$(BIN)/python docs/boosts.py
	@$(BIN)/python docs/exact_pictures.py
	@cd tests && for p in words results; do ../$(BIN)/python -m bench --draw ../docs/$$p.json --picture ../docs/$$p.png; done
	@$(BIN)/python docs/layers.py
	@$(BIN)/python docs/kept.py
	@$(BIN)/python docs/schema.py
	@$(BIN)/python tests/messages.py

site: $(VENV)/dev ## the documents as a site, in build/site
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "build/site/index.html"

clean: ## remove what was built
	rm -rf build
