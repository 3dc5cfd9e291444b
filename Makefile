# The one list of commands: `make` prints it. Each command sets up what it lacks.
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help
# The checks run one after another, cheap ones first, and cargo uses all cores by itself.
.NOTPARALLEL:
.SILENT:

# What scripts/setup installs is found before what the machine may have.
export PATH := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/gristmill/tools/bin:$(PATH)

# The guests' workspaces, compiled for this machine: for their lints and unit tests only.
plugins := --manifest-path plugins/Cargo.toml --target-dir target/guest-native
test-guests := --manifest-path tests/guests/Cargo.toml --target-dir target/guest-native

.PHONY: help
help:
	awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## install what building, tests and checks need; does nothing the second time
	scripts/setup

.PHONY: plugins
plugins: setup ## compile the shipped plugins and the tests' guests to components
	scripts/build-plugins

.PHONY: build
build: setup ## compile the release binary, target/release/gristmill
	cargo build --locked --release --package gristmill

.PHONY: demo
demo: plugins build ## run the shipped plugins on real input through a daemon
	scripts/demo

.PHONY: test
test: plugins ## run all tests and the examples in the documentation
	cargo nextest run --locked --workspace --all-features
	cargo nextest run --locked $(plugins) --config-file .config/nextest.toml
	scripts/test-guest-sdks
	scripts/test-book
	target/debug/gristmill test plugins --skip-unbuilt \
		--plugins target/plugins,target/interpreted-plugins --state-dir target/test-state
	scripts/prove-kit
	scripts/test-http
	cargo test --locked --quiet --doc --workspace --all-features

# How long faults go on in each of the two runs of `make chaos`, and how long `make fuzz` runs each target.
SECONDS ?= 60

.PHONY: chaos
chaos: plugins ## kill, stop and cut off daemons and Redis, and tell what it did to jobs; SECONDS=60
	GRISTMILL_CHAOS_SECONDS=$(SECONDS) cargo test --locked --package gristmill --test it -- \
		chaos:: --include-ignored --nocapture --test-threads 1

.PHONY: fuzz
fuzz: ## throw made-up bytes at what reads other people's, with a nightly Rust; SECONDS=60
	scripts/fuzz $(SECONDS)

.PHONY: check
check: fmt-check clippy test doc book deny typos shellcheck ## all that a change must pass, in the order below

.PHONY: fmt
fmt: ## format the code
	cargo fmt
	cd plugins && cargo fmt
	cd tests/guests && cargo fmt
	cd tests/peers/rust && cargo fmt
	cd fuzz && cargo fmt

.PHONY: fmt-check
fmt-check: ## tell what isn't formatted
	cargo fmt --check
	cd plugins && cargo fmt --check
	cd tests/guests && cargo fmt --check
	cd tests/peers/rust && cargo fmt --check
	cd fuzz && cargo fmt --check

.PHONY: clippy
clippy: setup ## lint the code; the library door without the command line too
	cargo clippy --locked --workspace --all-targets --all-features -- -D warnings
	cargo clippy --locked --package gristmill --no-default-features -- -D warnings
	cargo clippy --locked $(plugins) --all-targets -- -D warnings
	cargo clippy --locked $(test-guests) --all-targets -- -D warnings

.PHONY: doc
doc: ## build the documentation, with dead links as errors
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --all-features --no-deps

.PHONY: book
book: setup ## build the documentation for users, target/book/index.html
	mdbook build docs

.PHONY: deny
deny: setup ## check licences, sources and versions of the dependencies
	cargo deny --locked check -D warnings -A license-exception-not-encountered bans licenses sources
	cargo deny --locked --manifest-path plugins/Cargo.toml --config deny.toml --target wasm32-wasip2 check -A warnings bans licenses sources
	cargo deny --locked --manifest-path fuzz/Cargo.toml --config deny.toml check -A warnings bans licenses sources

.PHONY: typos
typos: setup ## check the spelling
	typos

.PHONY: shellcheck
shellcheck: setup ## lint the scripts
	shellcheck --external-sources $$(grep -lrE '^(#!/usr/bin/env bash|# shellcheck shell=bash)$$' scripts .ci)

.PHONY: bench
bench: plugins build ## measure attempts, the cache, the queues, the API and the daemon, each beside its raw figure in the same run
	cargo bench --locked --package gristmill-runtime --bench attempt
	cargo bench --locked --package gristmill-cache --bench backends
	scripts/bench-queues
	scripts/bench-http
	scripts/bench-daemon

# How often `make bench-peers` measures everyone.
ROUNDS ?= 3

.PHONY: bench-peers
bench-peers: plugins build ## measure other queues and ours in turn, and write docs/benchmarks.md; ROUNDS=3
	scripts/bench-peers --rounds $(ROUNDS) --markdown docs/benchmarks.md --svg docs/benchmarks.svg

.PHONY: release
release: build ## pack binary, completions, manual and packaging: target/dist/gristmill-VERSION-TARGET.tar.gz
	scripts/release

.PHONY: soak
soak: plugins build ## run a mix of jobs, and tell what the daemon takes over time; SECONDS=60
	scripts/soak $(SECONDS)

.PHONY: bindings
bindings: ## generate the bindings of the guest SDK and of C from wit/
	cargo run --locked --quiet --package gristmill-guest-bindgen

.PHONY: clean
clean: ## remove what was built; what setup installed stays
	cargo clean
