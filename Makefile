# Every target sets up what it needs in .venv. All there has to be is make and Python 3.11 or newer:
# the first that works out of the names below, or the one given as PYTHON=…
VENV := .venv
PYTHON ?=
CANDIDATES := $(or $(PYTHON),python3.13 python3.12 python3.11 python3 python)
PY := $(VENV)/bin/python
MANAGE := $(PY) manage.py
# Lint and tests use the project as strangers have it: with settings of their own, not those of .env.
TEST_MANAGE := DJANGO_SETTINGS_MODULE=tests.settings $(MANAGE)

first_that_runs = $(shell for python in $(CANDIDATES); do "$$python" -c '$(1)' 2>/dev/null && echo "$$python" && break; done)
recent := import sys; sys.exit(sys.version_info < (3, 11))
complete := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' $(firstword $(MAKEFILE_LIST)) | expand -t 12

.PHONY: run
run: $(VENV)/runtime .env ## Serve the site with a demo shop, on PORT (8000) of HOST (127.0.0.1)
	@$(MANAGE) quickstart

.PHONY: dev
dev: $(VENV)/dev .env ## The same, with DEBUG on and a reload after every change
	@DEBUG=true $(MANAGE) quickstart --reload

.PHONY: test
test: $(VENV)/bench $(VENV)/chromium ## Run the tests on SQLite, with coverage, then on PostgreSQL
# A module stays in one of the processes, and the site that it starts is started once. Tests that are marked
# to run once, such as those of what a browser makes of the pages, do so on SQLite.
	@echo "On SQLite:"
	$(PYTEST) --cov
	@echo "On PostgreSQL:"
	$(PY) -m tests.postgres $(PYTEST) -m "not once"

PYTEST := $(PY) -m pytest -n 2 --dist loadfile

.PHONY: lint
lint: $(VENV)/dev ## Check style, types, templates, imports, migrations and production settings
	@! git ls-files | grep -Ev '$(TRACKED)' || { echo "These tracked files do not belong into the repository."; exit 1; }
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy
	$(VENV)/bin/djade --check $$(find templates -name '*.html')
	$(VENV)/bin/lint-imports --no-cache
	$(TEST_MANAGE) makemigrations --check --dry-run
	ENV_FILE=/dev/null SECRET_KEY=$$($(RANDOM) 50) HTTPS=true $(MANAGE) check --deploy --fail-level WARNING

# What the top level holds, and nothing else.
TRACKED := ^((\.ci|\.github|apikeys|reflow|static|stores|templates|tests)/|(\.env\.example|\.gitignore|LICENSE|Makefile|README\.md|manage\.py|pyproject\.toml|requirements[a-z-]*\.lock)$$)

.PHONY: bench
bench: $(VENV)/bench ## Measure against the packages one would use instead; BENCH=quick is over in a minute
	$(PY) -m tests.benchmarks

# It says "no known vulnerabilities" of packages that it could not look up too, unless it is strict.
.PHONY: audit
audit: $(VENV)/audit ## Look up what production installs among the known vulnerabilities
	@said=$$($(PY) -m pip_audit --strict --progress-spinner off --disable-pip -r requirements.lock 2>&1) \
		&& echo "$$said" \
		|| case "$$said" in \
			*"Found "*" known vulnerabilit"*) echo "$$said"; exit 1;; \
			*) echo "Nothing was audited: $$(echo "$$said" | tail -n 1)" >&2; exit 1;; \
		esac

.PHONY: faults
faults: $(VENV)/dev ## Break what the site stands on, under load, and tell what its clients saw
	@$(PY) -m tests.faults

.PHONY: screenshot
screenshot: $(VENV)/dev $(VENV)/chromium ## Draw the README's picture of the settings page anew
	$(PY) -m tests.browser.screenshot

.PHONY: format
format: $(VENV)/dev ## Put code and templates into the one format
	$(PY) -m ruff check --fix
	$(PY) -m ruff format
	$(VENV)/bin/djade $$(find templates -name '*.html')

.PHONY: lock
lock: $(VENV)/uv ## Write the lock files anew from pyproject.toml
	$(COMPILE) --group install -o requirements-install.lock
	$(COMPILE) pyproject.toml -o requirements.lock
	$(COMPILE) pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
	$(COMPILE) pyproject.toml --group bench -c requirements-dev.lock -o requirements-bench.lock
	$(COMPILE) --group audit -c requirements-dev.lock -o requirements-audit.lock

COMPILE := $(PY) -m uv pip compile -q --universal --generate-hashes --no-annotate --no-header --python-version 3.11
RANDOM := $(PY) -c 'import secrets, sys; print(secrets.token_urlsafe(int(sys.argv[1])))'

# What follows makes the environment. A file in .venv, newer than its lock, says that it is installed.

$(PY):
	$(if $(call first_that_runs,$(recent)),,$(error Reflow needs Python 3.11 or newer, and none of these is: $(CANDIDATES). Install it, or name it: make PYTHON=/path/to/python3.11))
	$(if $(call first_that_runs,$(complete)),,$(error $(call first_that_runs,$(recent)) has no venv module. Install it (on Debian and Ubuntu: apt install python3-venv), or name another Python: make PYTHON=/path/to/python3.11))
	@"$(call first_that_runs,$(complete))" -m venv --clear $(VENV)

$(VENV)/uv: requirements-install.lock | $(PY)
	@$(PY) -m pip install -qq --disable-pip-version-check --require-hashes -r $< 2>/dev/null \
		|| echo "uv cannot be had: pip does its work, more slowly."
	@touch $@

# Only ever adds, so that `run` after `test` finds nothing to do. Without uv, or a way for it to reach
# packages, stock pip installs the same files.
install = echo "Installing $(1) …" \
	&& { $(PY) -m uv pip install -q --require-hashes -r $(1) 2>/dev/null \
		|| $(PY) -m pip install -qq --disable-pip-version-check --require-hashes -r $(1); }

$(VENV)/runtime: requirements.lock $(VENV)/uv
	@$(call install,$<)
	@touch $@

$(VENV)/dev: requirements-dev.lock $(VENV)/runtime
	@$(call install,$<)
	@touch $@

# The packages that are measured against.
$(VENV)/bench: requirements-bench.lock $(VENV)/dev
	@$(call install,$<)
	@touch $@

$(VENV)/audit: requirements-audit.lock $(VENV)/uv
	@$(call install,$<)
	@touch $@

# The browser that the tests drive. They are skipped, or with CI=true fail, where it cannot be had.
$(VENV)/chromium: | $(VENV)/dev
	@$(PY) -m tests.chromium && touch $@ || test "$$CI" != true

.env: | $(PY)
	@umask 077 && printf '%s\n' \
		"SECRET_KEY=$$($(RANDOM) 50)" "DEMO_OWNER_PASSWORD=$$($(RANDOM) 12)" "HTTPS=false" > $@
