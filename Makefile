# Thin: every target is one script or one tool. On a fresh Debian 12, as root: make demo
SHELL := /bin/bash
JOBS ?= $(shell nproc)

.PHONY: help setup build programs test demo images lab-up lab-down soak bench fuzz sanitize format lint clean

help: ## what there is
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

setup: ## packages, kernel file systems, Docker engine, country file (as root)
	@scripts/setup

build: ## the programs and the tests, into build/bin
	@cmake --preset release >/dev/null
	@ninja -C build -j $(JOBS)

programs: ## the programs only, of Iris and of the lab
	@cmake --preset release >/dev/null
	@ninja -C build -j $(JOBS) iris-node iris-cloud iris-shell lab_services lab_payload

test: setup build ## unit, actor and lab tests
	@scripts/docker-base
	@ctest --test-dir build --output-on-failure

demo: setup programs ## a gateway of real containers, attacked; ends with a table of alerts
	@scripts/demo

images: setup programs ## iris-node and iris-cloud, from the programs already built (FULL=1 compiles inside)
	@scripts/images

lab-up: ## the 2017 gateway of the lab, to play with (see docs/lab.md)
	@tests/lab/gateway2017/lab up

lab-down: ## take it away
	@tests/lab/gateway2017/lab down

soak: setup build ## the long link tests: attacks with their times judged; 100 cuts, 20 kills of each side, full disks
	@IRIS_LAB_TIMED=1 IRIS_BIN=$(CURDIR)/build/bin build/bin/lab_link
	@IRIS_SOAK=full python3 tests/lab/soak/soak.py

bench: setup build ## the benchmarks
	@scripts/bench

fuzz: setup build ## the fuzz targets, TIME=3600 seconds each
	@scripts/fuzz

sanitize: setup ## what reads packets, with all captures at hand, under the address and undefined-behaviour sanitizers
	@scripts/sanitize

format: ## clang-format every C++ file of ours
	@git ls-files '*.hpp' '*.cpp' '*.h' '*.c' | xargs clang-format -i

lint: ## clang-tidy over the sources that differ from the last commit, shellcheck over the scripts
	@scripts/lint

clean: ## remove what was built
	@rm -rf build
