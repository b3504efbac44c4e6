# 'make help' lists what can be done here.  A fresh clone needs nothing but make and python3.
BIN := .venv/bin
PYTEST := $(BIN)/pytest -q
KILLS ?= 300
JOBS ?= 2
COMPOSE = $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose) \
	--project-directory compose -f compose/compose.yaml

.DEFAULT_GOAL := help
.PHONY: base-image images pin-images up down logs upgrade upgrade-undo test-containers test-arm64 help setup run webchat test families check lint types layers unit contract scenes interop faults backups portal screens kills fuzz bench docs trixie clean

help:  ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' Makefile | expand -t 18

setup:  ## make .venv and install the pinned packages
	@python3 tools/setup.py run

run: setup  ## start a box for localhost in ./var, made on first use
	@test -e var/hausbote.toml || $(BIN)/hausbote --state var init --domain localhost --set registration=invite
	@exec $(BIN)/hausbote --state var run

webchat:  ## fetch the chat in the browser with npm, for the portal and for images
	@python3 tools/webchat.py

check:
	@python3 tools/setup.py test

test: check lint types layers  ## everything that must hold, two families of tests at a time: JOBS=1
	@$(MAKE) --no-print-directory --keep-going -j$(JOBS) --output-sync=target families
	@echo "Containers are apart: make test-containers, which says what is missing where no engine can run."

# The longest first.  What a family says comes when it has ended.
families: faults scenes backups interop portal unit contract

lint: check  ## style and common mistakes
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: check  ## types
	$(BIN)/mypy

layers: check  ## imports only go down
	$(BIN)/lint-imports --no-logo

unit: check  ## parts by themselves, properties of parsers among them
	$(PYTEST) tests/unit tests/fuzz

contract: check  ## what the store and the bus promise
	$(PYTEST) tests/contract

scenes: check  ## dialogues, in memory and against a running box
	$(PYTEST) tests/scenes

interop: check trixie webchat  ## other people's clients
	$(PYTEST) tests/interop

faults: check  ## crashes, restarts, peers that mean harm
	$(PYTEST) tests/faults

portal: check  ## pages in a browser, by people on phones and at desks
	$(PYTEST) tests/portal

screens: check  ## pictures of all pages of the portal into docs/screens
	SCREENS=docs/screens $(PYTEST) tests/portal/test_browser.py

test-containers: check trixie  ## a box in containers, with an engine of its own; says what is missing if none can run
	@python3 tools/setup.py images
	$(PYTEST) -o faulthandler_timeout=0 tests/containers

test-arm64: check  ## the images for a Raspberry Pi, emulated, which takes long
	@python3 tools/setup.py arm64
	$(PYTEST) tests/arm64

backups: check  ## backups and restores with restic, cut off at any point
	$(PYTEST) --timeout=400 tests/backups

kills: check  ## two boxes whose services are killed 300 times while people talk: KILLS=500
	KILLS=$(KILLS) $(PYTEST) -o faulthandler_timeout=0 -s tests/kills

fuzz: check  ## properties for as long as you like: HYPOTHESIS_PROFILE=long
	HYPOTHESIS_PROFILE=long $(PYTEST) --timeout=0 -o faulthandler_timeout=0 tests/unit tests/fuzz

bench: check  ## measure against Prosody and ejabberd; see docs/benchmarks.md
	$(BIN)/python tests/bench/run
	$(BIN)/python tests/bench/files

base-image:  ## an image of Debian 13 to build on, made of Debian's packages
	@python3 tools/images.py base-image

images:  ## all images for containers, their sizes and what is in them: DEBIAN=debian:trixie-slim
	@python3 tools/setup.py images
	@python3 tools/images.py build

pin-images:  ## images/requirements.txt anew, when packages have changed
	@python3 tools/setup.py images
	@python3 tools/images.py pin

up: compose/.env  ## start the box in containers, as compose/.env says
	@python3 tools/upgrade.py recover
	@$(COMPOSE) up -d

upgrade: compose/.env  ## build new images, try them, and let the box go over to them; or go back by itself
	@python3 tools/upgrade.py

upgrade-undo: compose/.env  ## go back to the images from before the last upgrade, and to their database
	@python3 tools/upgrade.py undo

down:  ## stop the containers; what the box keeps stays
	@$(COMPOSE) down

logs:  ## what the containers say
	@$(COMPOSE) logs --follow --tail 50

compose/.env:
	@echo "Write your domain into compose/.env first: cp compose/.env.example compose/.env"; exit 1

docs: check  ## write what is made from the code: settings page, pipelines, standards, translations
	$(BIN)/python tools/translations.py
	$(BIN)/python -m hausbote.cli.settings_docs > docs/settings.md
	$(BIN)/python tests/unit/test_pipeline.py
	$(BIN)/python -m hausbote.cli.standards docs
	$(BIN)/python -m hausbote.cli.compose_file > compose/compose.yaml

trixie: check  ## Debian 13 in build/, for its servers, from which people move, and its Compose
	@$(BIN)/python tools/trixie.py build/trixie

clean:  ## remove what was installed and cached, but not the box in ./var
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
