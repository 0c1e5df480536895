# One command for each thing that is done here; the work is in scripts/.
SHELL := /bin/bash
.DEFAULT_GOAL := help

export CARGO_TARGET_DIR ?= $(HOME)/.cache/cairn/target
BIN := $(CARGO_TARGET_DIR)/release
DEVNET_DIR ?= .devnet
DEVNET_ARGS ?=
DEV_ARGS ?=
BENCH_ARGS ?= tps --workload mixed --txs 20000 --senders 100 --vs anvil

.PHONY: help setup build devnet demo dev test lint bench fuzz

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install what is missing: compilers, npm packages, cargo-nextest
	@scripts/setup

build: setup ## Build every binary into $CARGO_TARGET_DIR/release
	@cargo build --release --workspace --bins

devnet: build ## Run the whole chain in the foreground (DEVNET_ARGS, DEVNET_DIR)
	@exec $(BIN)/cairn-devnet up --data-dir $(DEVNET_DIR) $(DEVNET_ARGS)

demo: build ## A tour: deposit, deploy, transact, batch, checks on L1, derivation, withdrawal
	@scripts/demo

dev: build ## Run a development node alone, without L1 (DEV_ARGS)
	@exec $(BIN)/cairn-sequencer run --dev $(DEV_ARGS)

test: ## Set up, build and run every test
	@scripts/test

lint: ## Formatting, clippy and dependency rules, all as errors
	@scripts/lint

bench: build ## Run cairn-bench (BENCH_ARGS)
	@exec $(BIN)/cairn-bench $(BENCH_ARGS)

fuzz: ## Decoders with changed inputs, counted (FUZZ_SECONDS, FUZZ_TARGETS, FUZZ_CASES, FUZZ_RUNS)
	@scripts/fuzz
