# What a newcomer types is `make demo`; what a contributor types is `make check` and `make test`.
# Everything is installed into .venv. Nothing outside this folder is changed.
#
#   make PYTHON=python3.12 demo        another Python than the one that is found
#   make test ARGS="-k store -x"       words for the program behind the target

PYTHON ?=
ARGS ?=
BIN := .venv/bin

.DEFAULT_GOAL := help
.NOTPARALLEL:  # two pips must not write into one .venv
.PHONY: help demo test check bench faults docs clean always

help:  ## show these lines
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s%s\n", $$1, $$2 }' Makefile

demo: .venv/.installed  ## install into .venv, then show lookalike at work on real pictures
	@$(BIN)/lookalike demo $(ARGS)

test: .venv/.installed-dev  ## run the tests, on all cores: 12 minutes on two
	$(if $(ARGS),,@echo 'All the tests take some 12 minutes on two cores; ARGS="-k store -x" runs some of them.')
	@$(BIN)/python -m pytest -q -n auto --dist loadfile $(ARGS)

check: .venv/.installed-dev  ## check formatting, lint, types and the direction of imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/.installed-dev  ## measure speed and recall
	@$(BIN)/python -m benchmarks $(ARGS)

faults: .venv/.installed-dev  ## try to break it: power cuts, damage, bombs, full disks; hours, or ARGS="--share 0.05"
	@$(BIN)/python -m faults $(ARGS)

docs: docs/gallery.md  ## build the documentation into site/, pictures included: some minutes
	$(BIN)/mkdocs build --strict

docs/gallery.md: .venv/.installed-dev-docs-annoy scripts/draw_gallery.py
	$(BIN)/python scripts/draw_gallery.py

clean:  ## remove all that make made here, .venv too
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist site lookalike-demo \
		docs/gallery docs/gallery.md src/lookalike/native/kernels*
	find src tests benchmarks faults scripts -name __pycache__ -prune -exec rm -rf {} +

# .venv/.ready says that .venv is whole; .venv/.installed-dev-docs-annoy that lookalike[dev,docs,annoy] is in it.
# Both are written last, so that what was interrupted is done again.
.venv/.ready: always
	@PYTHON='$(PYTHON)' GOAL='$(firstword $(MAKECMDGOALS))' sh scripts/make-venv

KERNELS := $(wildcard hatch_build.py src/lookalike/native/*.cpp src/lookalike/native/*.hpp)

.venv/.installed%: .venv/.ready pyproject.toml $(KERNELS)
	@$(BIN)/python scripts/install.py $(subst -, ,$*)

.venv/.installed: .venv/.ready pyproject.toml $(KERNELS)
	@$(BIN)/python scripts/install.py
