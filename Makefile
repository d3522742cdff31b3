# Everything a person does with this checkout. The virtual environment, the servers and all data stay inside it.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PYTEST := $(PY) -m pytest
SEEDS ?= 20000
N ?=
KILLS ?= 100
PORTS ?= fixed
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install lock run demo check check-types check-imap check-kit check-mail check-rules check-model unit contract shape model ports \
        e2e test-browser shots guide-pictures races kills kills-inbound bench-outbound bench-latency bench-inbound \
        bench-mailboxes bench-console corpus test test-containers test-compose schemas clean

help: ## This list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

install: $(STAMP) ## Virtual environment with locked dependencies (hashes checked)
$(STAMP): requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 …"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { echo "Python's venv is needed: apt-get install python3-venv"; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

lock: ## Write requirements/*.txt from pyproject.toml (hashes, no index address)
	$(UV) pyproject.toml -o requirements/runtime.txt
	$(UV) pyproject.toml --group dev -c requirements/runtime.txt -o requirements/dev.txt
UV := $(VENV)/bin/uv pip compile -q --generate-hashes --no-header --no-emit-index-url --python-version 3.11

run: $(STAMP) ## The whole product on this machine, until Ctrl-C (PORTS=free chooses other ports)
	@MALOTE_FOLLOW=$$PPID MALOTE_PORTS=$(PORTS) exec $(PY) -m deploy.local.run

demo: $(STAMP) ## Play the story against a running `make run`, showing evidence
	@$(PY) -m deploy.local.demo

check: $(STAMP) ## ruff, mypy --strict, import directions, unit, contract, shape, short model
	@$(MAKE) --no-print-directory -j3 -O check-types check-imap check-kit check-mail check-rules check-model

# `check` runs these three at a time, on two cores: much of the IMAP tests is waiting.
IMAP := tests/unit/ingest_imap tests/unit/local
MAIL := tests/unit/ingest tests/unit/ingest_parse
check-types:
	$(PY) -m ruff check .
	$(PY) -m ruff format --check -q .
	$(VENV)/bin/lint-imports
	$(PY) -m mypy
check-kit:
	$(PYTEST) tests/unit/kit
check-imap:
	$(PYTEST) $(IMAP)
check-mail:
	$(PYTEST) $(MAIL)
check-rules:
	$(PYTEST) tests/unit --ignore tests/unit/kit $(foreach each,$(IMAP) $(MAIL),--ignore $(each))
check-model:
	$(PYTEST) tests/contract tests/shape tests/model
	$(PY) -m tests.model.run --seeds 200

unit: $(STAMP) ## Pure rules and handlers
	$(PYTEST) tests/unit

contract: $(STAMP) ## Schemas, examples, AsyncAPI
	$(PYTEST) tests/contract

shape: $(STAMP) ## The house: entries, directions, sizes, names
	$(PYTEST) tests/shape

model: $(STAMP) ## The outbound protocol under seeded schedules (SEEDS=20000)
	$(PY) -m tests.model.run --seeds $(SEEDS)

ports: $(STAMP) ## One suite for fakes and real adapters (MALOTE_INFRA chooses the servers)
	$(PYTEST) tests/ports

e2e: $(STAMP) ## Over REST to a recording mail server and back
	$(PYTEST) tests/e2e

test-browser: $(STAMP) ## The console in Debian's Chromium (apt-get install chromium-headless-shell)
	$(PYTEST) tests/browser

shots: $(STAMP) ## Pictures of every page and state of the console into .local/shots
	@$(PY) -m tests.browser.shots .local/shots

guide-pictures: $(STAMP) ## The pictures of the operator's guide, made small, into docs/pictures
	@$(PY) -m tests.browser.guide docs/pictures

races: $(STAMP) ## Cancels around the commit (N=5000)
	@$(PY) -m tests.chaos.races --pairs $(or $(N),5000)

kills: $(STAMP) ## kill -9 while traffic flows (N=2000 KILLS=100)
	@$(PY) -m tests.chaos.kills --messages $(or $(N),2000) --kills $(KILLS)

bench-outbound: $(STAMP) ## Throughput beside the floor of the same run
	@$(PY) -m tests.bench.outbound

bench-latency: $(STAMP) ## Request to the mail server's 250
	@$(PY) -m tests.bench.latency

bench-inbound: $(STAMP) ## Mail server to event, beside the server's own push (needs Dovecot, root)
	@$(PY) -m tests.bench.inbound

bench-mailboxes: $(STAMP) ## A thousand idle mailboxes in one process, and whether any is deaf (Dovecot, root)
	@$(PY) -m tests.bench.mailboxes

bench-console: $(STAMP) ## The console in Chromium: first page, 500 messages, status on the screen, 200 live pages
	@$(PY) -m tests.bench.console

corpus: $(STAMP) ## Every file of a folder as a mail (DIR=… REPORT=file; Dovecot, root)
	@$(PY) -m tests.bench.corpus "$(DIR)" $(if $(REPORT),--report "$(REPORT)")

kills-inbound: $(STAMP) ## Kills, storms and renumberings while mail flows in (N=2000 KILLS=50; Dovecot, root)
	@$(PY) -m tests.chaos.inbound --mails $(or $(N),2000) --kills $(if $(filter-out file,$(origin KILLS)),$(KILLS),50)

test: check ports e2e test-browser ## check, ports, e2e, browser, model, short kills; with containers prepared, these too
	$(MAKE) model SEEDS=2000
	$(MAKE) kills N=300 KILLS=8
	@if $(PY) -c 'from tests.infra.dovecot import installed; raise SystemExit(not installed())'; then \
	  $(PY) -m tests.chaos.inbound --mails 100 --kills 3 --storms 2 --renumberings 1; else echo "no Dovecot: no mails under kills"; fi
	@if [ -f .local/docker/env ]; then $(MAKE) test-containers; else echo "no containers prepared: .ci/run does that"; fi

test-containers: $(STAMP) ## ports and one e2e file on containers (after deploy/images/prepare.sh)
	set -a; . ./.local/docker/env; set +a; $(PYTEST) tests/ports tests/e2e/test_story.py

test-compose: $(STAMP) ## deploy/compose.yaml with the project's image, unprivileged (after deploy/images/prepare.sh)
	set -a; . ./.local/docker/env; set +a; $(PYTEST) tests/compose

schemas: $(STAMP) ## Generate contracts/schemas and asyncapi.yaml
	$(PY) -m contracts.generate

clean: ## Remove data, logs, keys and caches; keeps the environment and fetched servers
	rm -rf .local/data .local/logs .local/logs.before .local/keys .local/run.json .mypy_cache .ruff_cache .pytest_cache
