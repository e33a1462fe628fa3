#!/usr/bin/env bash
# Runs the service for some minutes, 10 unless told otherwise, under mixed load and random faults on both sides, and
# holds every answer against the truth. By hand, not by CI: tests/soak/run.sh 5
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# shellcheck source=deploy/demo/environment.sh
source deploy/demo/environment.sh
# shellcheck disable=SC2119 # its options are not ours
prepare
exec "$python" -m tests.soak.main "${1:-10}"
