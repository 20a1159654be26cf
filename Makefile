# A machine needs only make and Python 3.11 or newer; every target sets up what it uses.
# Another Python, in a fresh environment: make clean test PYTHON=/path/to/python3.12

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTHON ?= $(firstword $(shell command -v python3.11 python3 python))

# The language of the demonstration: vi or en.
lang ?= vi

# What meets every package that users have at least once, in a few minutes.
CORE := $(patsubst %,tests/test_%.py,formats packing loading settings framing paths mps highs pulp_bridge exporting \
  own_engine scenariofile plotting excel_out shell)

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
# How long each reader is fuzzed.
seconds ?= 60

.PHONY: help demo test check format docs nightly fuzz peers lowest newest wheel sbom pins clean

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "make %-9s %s\n", $$1, $$2}'

demo: $(STAMP) ## Plan Lai Châu 2021-2030 and write its tables and its report into out/lai-chau (lang=en for English)
	$(BIN)/capalloc optimize scenarios/lai-chau --out out/lai-chau --lang $(lang)
	$(BIN)/capalloc report scenarios/lai-chau --plan out/lai-chau/plan.json --out out/lai-chau/plan.html --lang $(lang)

test: check ## The same as check

check: $(STAMP) ## Format, lint, types, tests and doctests; any warning is an error
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest

format: $(STAMP) ## Format the code and apply the safe lint fixes
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(STAMP) ## Build the documentation site into out/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "Open out/site/index.html in a browser."

nightly: $(STAMP) ## The property tests with thousands of fresh random cases each
	HYPOTHESIS_PROFILE=nightly $(BIN)/pytest -m hypothesis

fuzz: $(STAMP) ## Fuzz each reader with atheris for a minute; seconds=600 for longer, see fuzz/readers.py
	$(BIN)/pip install -qq -c constraints.txt --no-build-isolation -e '.[dev,fuzz]'
	for reader in csv settings selection scenarios plan certificate workbook packed; do \
	  $(BIN)/python fuzz/readers.py $$reader -max_total_time=$(seconds) -verbosity=0 || exit 1; done

peers: $(STAMP) ## Install the other solvers and fire each once at small cases; see benchmarks/README.md
	$(BIN)/pip install -qq -c constraints.txt --no-build-isolation -e '.[dev,bench]'
	$(BIN)/python -m benchmarks.compare generated/phase-100 generated/tight-100 --seeds 1 --time-limit 5 \
	  --results out/peers --page out/peers/RESULTS.md

lowest: ## The core tests with the lowest versions that pyproject.toml allows, in .venv-lowest
	rm -rf .venv-lowest
	"$(PYTHON)" -m venv .venv-lowest
	.venv-lowest/bin/python tools/needed.py --lowest > .venv-lowest/constraints.txt
	.venv-lowest/bin/pip install -qq -c .venv-lowest/constraints.txt -e '.[cluster,parquet]' hypothesis psutil pytest
	.venv-lowest/bin/pytest -W default $(CORE)

newest: ## The core tests with the newest versions that pyproject.toml allows, in .venv-newest
	rm -rf .venv-newest
	"$(PYTHON)" -m venv .venv-newest
	.venv-newest/bin/pip install -qq -e '.[cluster,parquet]' hypothesis psutil pytest
	.venv-newest/bin/pytest $(CORE)

# A build takes the time of the last commit for the time of every file, so that it can be repeated.
wheel: $(STAMP) ## Build the wheel and the source archive into dist, twice, and compare the bytes
	rm -rf dist
	for folder in dist dist/again; do \
	  SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python -m hatchling build -d $$folder || exit 1; done
	for file in dist/*.whl dist/*.tar.gz; do cmp $$file dist/again/$${file#dist/} || exit 1; done
	rm -rf dist/again

sbom: ## Write the bill of materials of what users install with constraints.txt, as CycloneDX JSON into dist
	rm -rf .venv-sbom
	"$(PYTHON)" -m venv --without-pip .venv-sbom/used
	"$(PYTHON)" -m venv .venv-sbom/tool
	.venv-sbom/tool/bin/pip install -qq -c constraints.txt 'cyclonedx-bom>=7'
	.venv-sbom/tool/bin/python tools/needed.py > .venv-sbom/needed.txt
	.venv-sbom/tool/bin/pip --python .venv-sbom/used/bin/python install -qq -c constraints.txt -r .venv-sbom/needed.txt
	mkdir -p dist
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) .venv-sbom/tool/bin/cyclonedx-py environment \
	  --pyproject pyproject.toml --mc-type library --output-reproducible -o dist/capalloc.cdx.json .venv-sbom/used

pins: ## Renew constraints.txt from the newest versions that pyproject.toml allows
	rm -rf $(VENV)
	$(call create_venv)
	$(BIN)/pip install -qq hatchling editables -e '.[dev]'
	{ echo '# Exact versions that make installs; renew with `make pins`.'; \
	  $(BIN)/pip freeze --exclude-editable; } > constraints.txt
	touch $(STAMP)

clean: ## Remove everything that make made
	rm -rf $(VENV) .venv-lowest .venv-newest .venv-sbom out dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The build back end is installed first, pinned like the rest: an isolated build would fetch its own.
$(STAMP): pyproject.toml constraints.txt
	$(call create_venv)
	$(BIN)/pip install -qq -c constraints.txt hatchling editables
	$(BIN)/pip install -qq -c constraints.txt --no-build-isolation -e '.[dev]'
	@touch $@

define create_venv
@if [ -z "$(PYTHON)" ]; then \
  echo "Python is missing: install Python 3.11 or newer, or give it: make PYTHON=/path/to/python3.11" >&2; exit 1; fi
@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
  echo "$(PYTHON) is not Python 3.11 or newer: install one, or give it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
  echo "$(PYTHON) has no venv module: install it (on Debian and Ubuntu: apt install python3-venv)" >&2; exit 1; }
@test -x $(BIN)/python || { echo "Setting up $(VENV) with $(PYTHON)"; "$(PYTHON)" -m venv $(VENV); }
endef
