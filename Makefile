# Every target sets up what it needs in .venv. All there has to be is make and one of these,
# 3.11 or newer and with its venv module, or another one: make run PYTHON=/path/to/python3.12
PYTHON := python3.13 python3.12 python3.11 python3 python
PY := .venv/bin/python
# In the order of tests/conftest.py: files with few tests are those that take longest, and would come last. Tests
# wait for servers and browsers half of the time, so there are more processes than cores, but where all compute.
PYTEST := $(PY) -m pytest --dist loadfile --no-loadscope-reorder

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' Makefile | expand -t 12

run: .venv/runtime .env ## Serve the site with a demo shop, on PORT (8000) of HOST (127.0.0.1)
	@$(PY) manage.py quickstart

dev: .venv/dev .env ## The same with DEBUG on, restarted after every change
	@DEBUG=true $(PY) manage.py quickstart

test: .venv/chromium coverage ## Run the tests on SQLite, then on PostgreSQL those that a database can change
	$(PYTEST) -n 5 --ignore tests/apikeys --ignore tests/stores
	$(PY) -m tests.postgres $(PYTEST) -n 3 $(ON_POSTGRESQL)

coverage: .venv/dev ## Run the tests of apikeys and stores, and check how much of both they run
	$(PYTEST) -n auto --maxprocesses 4 tests/apikeys tests/stores --cov

lint: .venv/dev ## Check style, types, templates, imports, migrations and production settings
	@! git ls-files | grep -Ev '$(TRACKED)' || { echo "These files do not belong in the repository."; exit 1; }
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy
	.venv/bin/djade --check $(TEMPLATES)
	.venv/bin/lint-imports --no-cache
	DJANGO_SETTINGS_MODULE=tests.settings $(PY) manage.py makemigrations --check --dry-run
	ENV_FILE=/dev/null SECRET_KEY=$$($(RANDOM) 50) TRUST_X_FORWARDED_PROTO=true TRUSTED_PROXIES=127.0.0.1 $(PY) manage.py check --deploy --fail-level WARNING

format: .venv/dev ## Format code and templates
	$(PY) -m ruff check --fix
	$(PY) -m ruff format
	.venv/bin/djade $(TEMPLATES)

bench: .venv/dev ## Measure against the packages one would use instead; BENCH=quick takes a minute
	$(PY) -m tests.benchmarks

faults: .venv/dev ## Break the database and Valkey under load, and list what clients saw
	@$(PY) -m tests.resilience faults

scale: .venv/dev ## Run the site on several machines, all of them here, and kill each part under load
	@$(PY) -m tests.resilience scale

audit: .venv/dev ## Look up what production installs among the known vulnerabilities
	$(PY) -m pip_audit --strict --progress-spinner off --disable-pip -r requirements.lock

screenshot: .venv/dev .venv/chromium ## Take the README's picture of the settings page
	$(PY) -m tests.browser.screenshot

lock: .venv/dev ## Update both lock files from pyproject.toml
	$(COMPILE) -o requirements.lock
	$(COMPILE) --group dev -c requirements.lock -o requirements-dev.lock

.PHONY: help run dev test coverage lint format bench faults scale audit screenshot lock

# What is about queries, constraints, locks, migrations and connections. The rest is the same on each database.
ON_POSTGRESQL := $(addprefix tests/, \
	apikeys/insight apikeys/management apikeys/models apikeys/usage \
	$(addprefix apikeys/, test_demo.py test_events.py test_lifecycle.py test_outbox.py) \
	$(addprefix apikeys/, test_reach.py test_reminders.py test_renewal.py test_renewal_at_random.py test_suspension.py) \
	$(addprefix apikeys/settings_page/, test_activity.py test_list.py test_programs.py test_requests.py test_trusts.py) \
	apikeys/api/test_key_lookup.py apikeys/api/test_key_management.py \
	apikeys/api/test_middleware.py apikeys/api/test_revoke.py apikeys/api/test_token.py \
	$(addprefix stores/api/, test_categories.py test_changes.py test_finding.py test_lists.py) \
	$(addprefix stores/api/, test_names.py test_safe_writes.py test_sales.py) stores/test_models.py \
	reflow/accounts/test_admin.py reflow/accounts/test_email_addresses.py \
	reflow/api/test_bad_input.py reflow/api/test_conditional_requests.py \
	reflow/api/test_idempotency.py reflow/api/test_pagination.py reflow/api/test_unavailable.py \
	reflow/observability/test_database_metrics.py reflow/observability/test_health_checks.py \
	reflow/server/test_database.py \
	reflow/test_admin_site.py reflow/test_daily.py reflow/test_monitoring.py \
	resilience/test_emails.py resilience/test_usage.py \
	security/test_concurrency.py security/test_injection.py security/test_stored_keys.py \
	test_backups.py test_migrations.py)
# Bytecode is kept, whatever the shell says: every process that tests start would compile Django again.
unexport PYTHONDONTWRITEBYTECODE
TEMPLATES = $$(find templates -name '*.html')
TRACKED := ^((\.ci|\.github|apikeys|reflow|static|stores|templates|tests)/|(\.env\.example|\.gitignore|LICENSE|Makefile|README\.md|manage\.py|pyproject\.toml|requirements(-dev)?\.lock)$$)
COMPILE := $(PY) -m uv pip compile pyproject.toml -q --universal --generate-hashes --no-annotate --no-header --python-version 3.11
RANDOM := $(PY) -c 'import secrets, sys; print(secrets.token_urlsafe(int(sys.argv[1])))'
PIP := $(PY) -m pip install -qq --disable-pip-version-check --require-hashes
FOUND = $(shell for python in $(PYTHON); do "$$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)

# uv installs in a fifth of pip's time. Where it cannot be had, pip installs the same.
.venv/bin/python:
	$(if $(FOUND),,$(error Reflow needs Python 3.11 or newer with its venv module (on Debian and Ubuntu: apt install python3-venv). None of these has both: $(PYTHON). Name another: make PYTHON=/path/to/python3.11))
	@"$(FOUND)" -m venv --clear .venv
	@sed -n '/^uv==/,/[^\\]$$/p' requirements-dev.lock | $(PIP) -r /dev/stdin 2>/dev/null || echo "uv cannot be had: pip takes its place, more slowly."

.venv/runtime: requirements.lock | .venv/bin/python
.venv/dev: requirements-dev.lock | .venv/bin/python
.venv/runtime .venv/dev:
	@echo "Installing $< …"
	@$(PY) -m uv pip install -q --require-hashes -r $< 2>/dev/null || $(PIP) -r $<
	@touch $@

# The browser that some tests drive. They are skipped where none can be had, or fail with CI=true.
.venv/chromium: | .venv/dev
	@$(PY) -m tests.chromium && touch $@ || test "$$CI" != true

.env: | .venv/bin/python
	@umask 077 && printf '%s\n' "SECRET_KEY=$$($(RANDOM) 50)" "DEMO_OWNER_PASSWORD=$$($(RANDOM) 12)" "HTTPS=false" > $@
