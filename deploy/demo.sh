#!/usr/bin/env bash
# Starts a real Directus, a Stripe emulator, nginx and the sidecar on this machine, lets everybody try everything, and
# shows what happened. Ends everything on Ctrl-C, or at once with --once.
#   DEMO_PORT               where to look at it (8000)
#   STRIPE_LIVE_SECRET_KEY  a test key (sk_test_… or rk_test_…): use Stripe itself instead of the emulator
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# shellcheck source=deploy/demo/environment.sh
source deploy/demo/environment.sh
prepare --servers
exec "$python" -m deploy.demo "$@"
