# What people type. `make run` and `make test` build what they need first.
.DEFAULT_GOAL := run
.PHONY: setup build run test verify check lock packages-for-test packages-for-check

# A distribution builds its Python with profiles, which a self-built one often lacks: with it a
# consultation costs a quarter less (docs/performance.md).
ifndef PYTHON
PYTHON := $(shell for python in /usr/bin/python3 python3; do \
	$$python -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		&& echo $$python && break; done)
endif
BIN := .venv/bin
INSTALLED := .venv/installed
# A proxy that opens TLS is known to the machine's own certificates, not to those that uv carries.
UV := $(BIN)/uv$(if $(wildcard /etc/ssl/certs/ca-certificates.crt), --system-certs)
LOCK := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --group dev pyproject.toml
# Commands that look at the code need settings, not an installation.
SCRATCH := SANJEEVANI_DATA=$(CURDIR)/.build/check
ARGS ?=

setup: $(INSTALLED)

$(INSTALLED): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" \
		|| { echo "Python 3.11 or later with venv is needed: apt-get install python3 python3-venv" >&2; exit 1; }
	@echo "Building the environment in .venv"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		"$$(grep --only-matching '^uv==[0-9.]*' requirements.lock)"
	@VIRTUAL_ENV=.venv $(UV) pip install --quiet --require-hashes --requirement requirements.lock
	@VIRTUAL_ENV=.venv $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# The front-end's built files and the translations, from their sources.
build: setup packages-for-check
	cd frontend && npm ci && npm run build
	$(SCRATCH) $(BIN)/sanjeevani translations

run: setup
	@exec $(BIN)/sanjeevani run

test: setup packages-for-test
	$(BIN)/pytest -n 2 --dist loadgroup $(ARGS)

verify: setup packages-for-test
	$(BIN)/pytest -m verify $(ARGS)
	LOOK_EVERYWHERE=1 $(BIN)/pytest tests/web -k accessible

check: setup packages-for-check
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(SCRATCH) $(BIN)/mypy
	$(BIN)/lint-imports
	$(SCRATCH) $(BIN)/python -W ignore::RuntimeWarning -m sanjeevani makemigrations --check --dry-run
	$(SCRATCH) $(BIN)/sanjeevani translations --check
	frontend/check.sh
	@mkdir -p .build && cp requirements.lock .build/requirements.lock
	@$(LOCK) --output-file .build/requirements.lock
	@cmp requirements.lock .build/requirements.lock || { echo "requirements.lock is behind pyproject.toml: make lock" >&2; exit 1; }

lock: setup
	$(LOCK) --output-file requirements.lock

packages-for-test packages-for-check: packages-for-%:
	@.ci/packages $*
