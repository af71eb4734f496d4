# `make demo` and `make test` set up all they need: Debian packages, and a Python environment.
# Both are instant where nothing is missing. tgt is masked before it comes, so that no target opens
# its port here, now or at boot.

# Debian's own Python: another one may come first in PATH, and brings other wheels.
PYTHON := /usr/bin/python3
BIN := .venv/bin
PACKAGES := $(shell sed 's/\#.*//' debian-packages.txt)
# A script that is a Jinja template is checked as its golden file under tests/ shows it rendered.
SHELL_SCRIPTS = $(shell grep -rlIE --exclude='*.py' '^\#! ?/bin/(ba|da)?sh' templates san tests .ci \
	| xargs grep -LE '\{[%{] ')
TYPED = san facts operations $(wildcard config.py deploy.py upgrade.py recover.py) inventory.py

.DELETE_ON_ERROR:
.PHONY: demo drill test test-kernels lint bench-redeploy bench-kmod bench-failover bench-scale clean setup packages

demo: setup
	$(BIN)/san demo

# Every fault of the matrix at both depths, from the cluster that `make demo` deployed, and with STONITH
# where the end differs: hours. What has passed on that cluster isn't played again, so it may be
# interrupted.
drill: demo
	$(BIN)/san drill all --stonith docs/examples/stonith.py
	$(BIN)/python -m pytest -m drill tests/lab

# Cheap tiers first: a broken rule is known in seconds, before the lab's minutes.
test: lint
	@echo '== unit, facts, operations, deploy'
	$(BIN)/python -m pytest tests/facts tests/operations
	$(BIN)/python -m pytest -n auto tests/unit tests/deploy
	@echo '== lab'
	$(BIN)/python -m pytest -m 'not kernels and not drill' --durations=12 tests/lab
	@echo '== every tier passed'

test-kernels: setup
	$(BIN)/python -m pytest -m kernels tests/lab

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(TYPED)
	shellcheck --exclude=SC1091 $(SHELL_SCRIPTS) # SC1091: what a script sources is on the nodes
	$(BIN)/lint-imports --no-logo --no-cache
	@echo '== lint passed'

bench-redeploy: setup
	$(BIN)/san bench redeploy

bench-kmod: setup
	$(BIN)/san bench kmod

# Goes on where it was interrupted.
bench-failover: setup
	$(BIN)/san bench failover

# Simulated hosts, no lab: minutes of processor time for the largest.
bench-scale: setup
	$(BIN)/python tests/deploy/bench_scale.py

# secrets.env stays: what is deployed knows its secrets.
clean:
	if [ -x $(BIN)/san ] && [ -d build/lab ]; then $(BIN)/san lab down; fi
	rm -rf build .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis

setup: .venv/installed

.venv/installed: .venv/locked pyproject.toml
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

# A changed lock builds the environment anew: what it no longer names is gone then.
.venv/locked: requirements.lock | packages
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	    "Python 3.11 or later is needed (Debian 12 or 13); %s has %d.%d" % \
	    (sys.executable, *sys.version_info[:2]))'
	@echo '== Python environment in .venv (about a minute)'
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	    --require-hashes --only-binary :all: --requirement requirements.lock
	@touch $@

packages:
	@missing=; for package in $(PACKAGES); do \
	    dpkg-query --show --showformat '$${db:Status-Status}\n' $$package 2>/dev/null \
	        | grep -qx installed || missing="$$missing $$package"; \
	done; \
	[ -n "$$missing" ] || exit 0; \
	root=; \
	if [ "$$(id -u)" -ne 0 ]; then \
	    root=sudo; command -v sudo >/dev/null || { \
	        echo "Debian packages are missing, and there is no sudo; as root, run:" >&2; \
	        echo "  apt-get install --no-install-recommends$$missing" >&2; exit 1; }; \
	fi; \
	echo "== Debian packages:$$missing"; \
	case "$$missing " in *" tgt "*) \
	    unit=/etc/systemd/system/tgt.service; $$root mkdir -p $${unit%/*} || exit; \
	    [ -e $$unit ] || $$root ln -s /dev/null $$unit || exit;; \
	esac; \
	$$root apt-get update -q && \
	$$root env DEBIAN_FRONTEND=noninteractive \
	    apt-get install -q --yes --no-install-recommends $$missing
