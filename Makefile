# Thin on purpose: a target is one command of the CLI, of pytest or of a checker; only `setup`,
# `icarus` and `chromium` think, because they make a bare machine fit. Nothing here asks a question.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup icarus chromium demo test test-all lint format types readme results gallery \
	bench-adders bench-boards bench-explore bench-factors bench-fit bench-golden bench-hw bench-link \
	bench-package-mutants bench-packing bench-phases bench-placed bench-qornn bench-sensor bench-soa \
	bench-sparsity bench-train

VENV := .venv
BIN := $(VENV)/bin
# An activated .venv must not be the one that makes itself anew.
export PATH := $(subst $(CURDIR)/$(BIN):,,$(PATH))
# The first interpreter that is new enough; `make PYTHON=/some/python3 test` overrides.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

help:  ## list the targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' Makefile | expand -t 22

demo: setup  ## train, export, generate, simulate, place and route; ends with a table of figures
	@$(BIN)/sylvan demo

test: setup icarus chromium lint types  ## what CI checks: style, types, every test not marked `full`
	@$(BIN)/pytest -n 2 --dist worksteal

test-all: setup icarus chromium lint types  ## the same with every test
	@$(BIN)/pytest -n 2 --dist worksteal -m "full or not full"

# Two workers share the cores; libraries that start threads of their own would fight over them.
test test-all: export OMP_NUM_THREADS := 1

# Tests on public data sets skip where SYLVAN_DATA names no folder; one that lies beside the checkout
# is taken unasked.
ifneq ($(wildcard ../shared/data),)
test test-all: export SYLVAN_DATA ?= $(abspath ../shared/data)
endif

bench-adders: setup  ## adder graphs beside those of da4ml; adds to bench/adders.json
	@$(BIN)/python bench/adders.py

bench-boards: setup  ## a program on every board; adds to bench/boards.json and docs/boards.md
	@$(BIN)/python bench/boards.py

bench-explore: setup  ## a large search, and a small one on two workers; writes docs/exploration.md
	@$(BIN)/python bench/exploration.py $(if $(DATA),--data $(DATA))

bench-factors: setup  ## what bits of a normalization's factors cost, in the gated cells of RUNS
	@$(BIN)/python bench/factors.py $(or $(RUNS),$(error Give trained runs: make bench-factors RUNS="runs/a runs/b"))

bench-fit: setup  ## cores of many kinds built, the cost model fitted to them; adds to bench/fit.json
	@$(BIN)/python bench/fit.py

bench-golden: setup  ## images per second of the golden model; writes bench/golden.json
	@$(BIN)/python bench/golden.py

bench-hw: setup  ## cores and plain designs placed; adds to bench/hardware.json and docs/performance.md
	@$(BIN)/python bench/hardware.py $(if $(QUICK),--quick) $(if $(ONLY),--only "$(ONLY)")

bench-link: setup  ## timesteps per second of the host's software; writes a table of docs/host.md
	@$(BIN)/python bench/link.py

bench-package-mutants: setup  ## wrong weights that the testbench of a package sees; writes docs/package.md
	@$(BIN)/python bench/package_mutants.py

bench-packing: setup  ## nonzeros in words of P: cycles and index bits; writes bench/packing.json
	@$(BIN)/python bench/packing.py

bench-phases: setup  ## phases against fixed-point constants for 1/sqrt(2), as a table
	@$(BIN)/python bench/phases.py

bench-placed: setup  ## adder graphs placed on ECP5 beside an estimate; adds to bench/placed.json
	@$(BIN)/python bench/placed.py

bench-qornn: setup  ## few bits in an orthogonal loop, as a table; WHAT is matrix, copy or digits
	@$(BIN)/python bench/qornn.py $(or $(WHAT),matrix)

bench-sensor: setup  ## the sensor's design placed on an iCEBreaker; writes figures of docs/sensor.md
	@$(BIN)/python bench/sensor.py

bench-soa: setup  ## networks of published sizes placed; adds to their rows and docs/state-of-the-art.md
	@$(BIN)/python bench/state_of_the_art.py $(if $(ONLY),--only "$(ONLY)")

bench-sparsity: setup  ## an LSTM with more and more zeros trained and placed; adds to docs/sparsity.md
	@$(BIN)/python bench/sparsity.py $(if $(DATA),--data $(DATA)) $(if $(ONLY),--only "$(ONLY)")

bench-train: setup  ## training iterations against a dense loop; writes bench/train.json
	@$(BIN)/python bench/train.py

readme: setup  ## write the table of the README from the figures of the last demo
	@$(BIN)/python docs/measured.py

results: setup  ## train the presets on the data sets in DATA, score them, write docs/results.md
	@$(BIN)/python bench/results.py $(if $(DATA),--data $(DATA)) $(if $(ONLY),--only $(ONLY))
	@$(BIN)/python docs/results.py runs/results

gallery: setup  ## export the small programs of gallery/, training those that are missing
	@$(BIN)/python bench/gallery.py $(if $(DATA),--data $(DATA))

lint: setup  ## formatting and lint
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check

format: setup  ## bring the formatting in order, and mend the lint that can be mended
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

types: setup  ## check types, on the packages laid out by links as they are installed
	@rm -rf build/types && mkdir -p build/types/sylvan
	@ln -s $(CURDIR)/sylvan/* $(addprefix $(CURDIR)/,model hw sim boards) build/types/sylvan/
	@$(BIN)/mypy | sed -E 's#^build/types/##; s#^sylvan/(model|hw|sim|boards)/#\1/#'

# .venv/complete says where and from what a whole environment was made. The same: nothing to do. Only
# the requirements moved on: installed into again. Anything else (half made, moved, its Python gone):
# made anew.
setup:  ## everything Python in .venv; the other targets do this first
	@test -n "$(PYTHON)" || { echo "Sylvan needs Python 3.11 or newer, as python3 in PATH."; exit 1; }
	@place="$(CURDIR) $$($(PYTHON) --version)"; \
	wanted="$$(cat pyproject.toml constraints.txt | cksum)"; \
	$(BIN)/python -c "" 2>/dev/null || rm -f $(VENV)/complete; \
	complete="$$(cat $(VENV)/complete 2>/dev/null || true)"; \
	case "$$complete" in \
	"$$place $$wanted") exit 0 ;; \
	"$$place "*) echo "pyproject.toml or constraints.txt changed: installing into $(VENV) again ..." ;; \
	*) echo "Setting up $(VENV), once. A large download: about 0.5 GB with the CPU build of torch,"; \
	   echo "several GB where pip's index offers only the GPU build. Some minutes ..."; \
	   rm -rf $(VENV); $(PYTHON) -m venv $(VENV) ;; \
	esac; \
	rm -f $(VENV)/complete; \
	$(BIN)/python -m pip install --disable-pip-version-check --no-input --progress-bar=off \
		-c constraints.txt -e '.[all,dev]' | sed -u -nE \
		's/^ *Downloading ([^ ]+) (\(.* [MG]B\)).*/  downloading \1 \2/p; s/^(Installing) collected.*/  installing/p'; \
	echo "$$place $$wanted" > $(VENV)/complete

# $(call apt-install,PACKAGES,LOG): as root, or by sudo where that needs no password.
APT = $$([ "$$(id -u)" = 0 ] || echo sudo -n) env DEBIAN_FRONTEND=noninteractive \
	apt-get -o DPkg::Lock::Timeout=120
apt-install = { $(APT) install -y $(1) || { $(APT) update && $(APT) install -y $(1); }; } >$(2) 2>&1

icarus:
	@command -v iverilog >/dev/null && exit 0; mkdir -p build; \
	echo "Icarus Verilog is missing: installing it with apt-get ..."; \
	$(call apt-install,iverilog,build/icarus.log) && exit 0; \
	echo "Not allowed, or failed (see build/icarus.log). Type: sudo apt-get install -y iverilog"; \
	exit 1

# Tests that look at a page in a browser skip where there is none.
chromium:
	@command -v chromedriver >/dev/null && exit 0; mkdir -p build; \
	echo "Chromium is missing: installing it with apt-get ..."; \
	$(call apt-install,chromium chromium-driver,build/chromium.log) && exit 0; \
	echo "Not allowed, or failed (see build/chromium.log): tests in a browser will skip."
