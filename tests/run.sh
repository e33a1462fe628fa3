#!/usr/bin/env bash
# Checks everything: form, types, the direction of imports, the shell scripts, then every test.
# With arguments only these: format lint types imports shell pythons unit redis integration e2e.
# `matrix [cells] [--document]` runs every version and database of deploy/README.md; a run of everything has only what is quick of it.
# `quick` is for the everyday loop: format, lint, types and most unit tests, in under a minute on two free cores, without npm or Node.
# `arrangements [N]` compares rows and fields over N random arrangements of policies on a real Directus.
# `fuzz [--requests N] [--seed S]` sends mutated requests to the real process between two doubles, by default 20,000.
# `mutants [paths]` changes core in small steps and sees whether tests fail; `stress busy|stopped` slows the tests down.
# Goes on after a failure; the exit code is 1 if anything failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# shellcheck source=deploy/demo/environment.sh
source deploy/demo/environment.sh

python=$(find_python)
exec "$python" -m tests.checks "$@"
