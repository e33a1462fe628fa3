#!/usr/bin/env bash
# Runs the service for some minutes, by default 10, under mixed load and random faults of both upstreams, and
# compares every answer with the permissions at that time. Not part of CI: tests/soak/run.sh 5
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# shellcheck source=deploy/demo/environment.sh
source deploy/demo/environment.sh
# shellcheck disable=SC2119 # its options are not ours
prepare
exec "$python" -m tests.soak.main "${1:-10}"
