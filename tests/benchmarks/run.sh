#!/usr/bin/env bash
# Measures the sidecar beside the alternatives on this machine, prints tables, and writes .demo/benchmarks.json.
# With `--before REV` it measures that revision of the sidecar too, in the same rounds.
# With `fair` it measures what one caller can take from the others, and writes .demo/benchmarks-fair.json.
# With `replicas` it measures what three replicas do without Redis and with it, and writes .demo/benchmarks-replicas.json.
# Takes some minutes. With --quick everything is tiny: it shows that the programs work, and its figures mean nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# shellcheck source=deploy/demo/environment.sh
source deploy/demo/environment.sh

prepare --servers --redis
exec "$python" -m tests.benchmarks "$@"
