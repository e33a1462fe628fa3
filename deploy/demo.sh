#!/usr/bin/env bash
# Starts a real Directus, a Stripe emulator, nginx and the sidecar on this machine, asks every route as every user, and
# prints the answers. Ends on Ctrl-C, or with --once after the answers. With --replicas 3 there are three sidecars, which
# share a Redis, and a logout is told to one of them and felt by all.
#   DEMO_PORT               the port of the demo's page (8000)
#   STRIPE_LIVE_SECRET_KEY  a test key (sk_test_… or rk_test_…): use Stripe instead of the emulator
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# shellcheck source=deploy/demo/environment.sh
source deploy/demo/environment.sh
prepare --servers
exec "$python" -m deploy.demo "$@"
