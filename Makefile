# The two commands: `make run` and `make test`. `make help` lists the rest.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run reset test deps console fmt lint licences advisories unit e2e bench bench-gate bench-scale queries openapi chaos fuzz contract-openstack openstack-up openstack-down openstack-test nodes-up nodes-test nodes-local-test

STATE_DIR := $(or $(KCS_STATE_DIR),.kcs)
# `make run PROFILE=release` for an optimised program.
PROFILE ?= dev
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
KCS := $(TARGET_DIR)/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))/kcs

help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  %-20s %s\n", $$1, $$2 }'

BUILD := scripts/step.sh "building the program (minutes the first time)" cargo build --quiet --profile $(PROFILE) --bin kcs

run: deps console ## Start everything on this machine; http://127.0.0.1:8080 (NODES=full: nodes that run containers; root)
	@$(BUILD)
	@exec $(KCS) dev $(if $(NODES),--nodes $(NODES))

reset: ## Forget the clusters, accounts and keys of `make run`
	@$(BUILD)
	@$(KCS) dev --reset --only

deps: ## Install the Debian packages that are missing
	@scripts/deps.sh run

console: frontend/dist/index.html ## Build the console

frontend/node_modules/.package-lock.json: frontend/package-lock.json
	@scripts/step.sh "fetching the console's packages" bash -c 'cd frontend && { npm ci --no-audit --no-fund --loglevel=silent || npm install --no-save --no-audit --no-fund --loglevel=error; } >/dev/null'
	@touch $@

frontend/dist/index.html: frontend/node_modules/.package-lock.json frontend/index.html openapi/openapi.json $(shell find frontend/src frontend/public -type f 2>/dev/null)
	@scripts/step.sh "building the console" npm --prefix frontend run --silent build >/dev/null
	@touch $@

test: ## Everything: format, lints, unit, property, store, API, contract, console and end-to-end tests
	@scripts/test.sh all

fmt: ## Format the code
	@cargo fmt --all

lint: ## Format check, clippy, oxlint, tsc
	@scripts/test.sh lint

licences: ## Licences and sources of every dependency (installs cargo-deny: minutes the first time)
	@command -v cargo-deny >/dev/null || scripts/step.sh "building cargo-deny" cargo install --quiet --locked --version 0.20.2 cargo-deny
	@cargo deny --log-level error check licenses bans sources

advisories: ## Known faults of crates and of the console's packages; fails where a list cannot be asked: before a release
	@command -v cargo-deny >/dev/null || scripts/step.sh "building cargo-deny" cargo install --quiet --locked --version 0.20.2 cargo-deny
	@scripts/advisories.sh crates
	@scripts/advisories.sh packages

unit: ## All tests that need no real Kubernetes and no browser
	@scripts/test.sh unit

e2e: ## The main job from outside: real Kubernetes, headless Chromium
	@scripts/test.sh e2e

bench: ## Measure a create through KCS against the bare recipe
	@scripts/test.sh bench

bench-gate: ## Measure the way into a cluster against its API itself, kubectl proxy and the least gate for many people
	@scripts/test.sh bench-gate

chaos: ## 100,000 random kills of the engine
	@KCS_CHAOS_RUNS=100000 cargo test --release --workspace --test engine chaos -- --nocapture

CLUSTERS ?= 500 2000

bench-scale: ## What many clusters cost on this machine: 500, then 2,000 (CLUSTERS="50 200" for fewer, BENCH_OPTIONS=--without-addons; an hour), and a burst of two tenants; fails where a goal is missed
	@scripts/step.sh "building the program and the bench" cargo build --quiet --release --workspace --bins --test bench
	@ulimit -n $$(ulimit -H -n); bench="$(TARGET_DIR)/release/bench-scale --kcs $(TARGET_DIR)/release/kcs $(BENCH_OPTIONS)"; \
	figures=$$(mktemp); missed=0; \
	for n in $(CLUSTERS); do $$bench --clusters $$n --figures $$figures || missed=1; done; \
	$$bench --fairness || missed=1; \
	rm -f $$figures; exit $$missed

fuzz: ## Random requests to every route and into a cluster, as everybody (REQUESTS=20000)
	@KCS_FUZZ=$(or $(REQUESTS),20000) cargo test --quiet --profile $(PROFILE) --workspace --test it fuzz -- --nocapture

contract-openstack: ## The contract suite against real OpenStack services: installs, starts and stops them (root, minutes)
	@tests/openstack/contract.sh

openstack-up: ## Start a real OpenStack on this machine, with nodes that really boot (root; minutes the first time)
	@tests/openstack/up.sh

openstack-down: ## Stop it; the node image and OpenStack's programs stay
	@tests/openstack/down.sh --purge

openstack-test: ## KCS against the real services: faults, quotas, three masters (root)
	@$(BUILD)
	@tests/openstack/test.sh

nodes-test: console ## Clusters whose nodes really boot, on the real services (root)
	@$(BUILD)
	@tests/nodes/test.sh

nodes-local-test: console ## Whole nodes in the local cloud of `kcs dev --nodes full` (root)
	@$(BUILD)
	@tests/nodes/local.sh

nodes-up: openstack-up

queries: ## Write .sqlx from the store's queries, after changing one
	@bash tests/postgres/prepare.sh

openapi: ## Write openapi/openapi.json and the console's client from the code
	@cargo run --quiet --bin kcs -- openapi > openapi/openapi.json
	@cd frontend && npm run --silent api
