# The commands of the house; `.venv/bin/just` runs the first one, which is what CI runs, and `just --list` shows them all.

set shell := ["bash", "-euo", "pipefail", "-c"]

export PATH := justfile_directory() / ".venv/bin:" + env("PATH")

# everything that CI checks
check: read test

# what can be found wrong without running a test
[parallel]
read: lint types contracts snapshot

# the linter, and whether the formatter would change anything
lint:
    ruff check
    ruff format --check

# mypy, strict, over promograph and the three plugins
types:
    mypy

# who may import whom
contracts:
    lint-imports --no-logo

# whether schema.graphql is what the code says
snapshot:
    python -m promograph.cli.main schema | diff -u schema.graphql - || { echo "run 'just schema' and look at the difference" >&2; exit 1; }

# Tests wait for disks and for processes that they start: hence one more of them at a time than there are cores.

# the tests, on SQLite and on a PostgreSQL server of their own, a file at a time; arguments go to pytest
test *arguments:
    python -m pytest -n "$(python -c 'import os; print(min((os.cpu_count() or 1) + 1, 5))')" --dist loadfile --no-loadscope-reorder {{ arguments }}

# put every file into the house's format
fmt:
    ruff check --fix
    ruff format

# write schema.graphql anew, and what is made from it
schema: && client
    python -m promograph.cli.main schema > schema.graphql.new
    mv schema.graphql.new schema.graphql

# write the Python client's types and the manifest of its documents anew, after a change of docs/checkout or of the schema
client:
    python clients/python/generate.py

# the demo; arguments go to `promograph demo`
demo *arguments:
    promograph demo {{ arguments }}

# the measurements; arguments go to `promograph bench`
bench *arguments:
    promograph bench {{ arguments }}

# the GraphQL-over-HTTP audits and the clients of other makers (needs Node)
audits:
    tests/audits/run

# the checkout's example in JavaScript against a server (needs Node)
checkout:
    docs/checkout/javascript/run

# resolve the newest versions and write constraints.txt anew (run it with the oldest Python that is supported)
pins:
    #!/usr/bin/env python
    import json, re, subprocess, sys
    from pathlib import Path
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--report", "-", "-e", ".[dev]"]
    report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    packages = {re.sub(r"[-_.]+", "-", each["metadata"]["name"]).lower(): each["metadata"]["version"] for each in report["install"]}
    pins = [f"{name}=={version}" for name, version in sorted(packages.items()) if name not in {"promograph", "pip", "setuptools", "uv"}]
    file = Path("constraints.txt")
    heading = [line for line in file.read_text().splitlines() if line.startswith("#")]
    file.write_text("\n".join([*heading, *pins]) + "\n")
