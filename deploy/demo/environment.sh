# shellcheck shell=bash
# Sourced by deploy/demo.sh and tests/run.sh, which are in the checkout's root by then.

# Prints the first Python that is new enough; a name on the path may be a shim without a Python behind it.
find_python() {
    local candidate
    for candidate in python3.13 python3.12 python3.11 python3; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            command -v "$candidate"
            return
        fi
    done
    echo "Python 3.11 or newer not found" >&2
    return 1
}

# Sets `python` to the interpreter of an environment with everything that was asked for:
# --servers (Directus, nginx), --packages (what tests use of npm), --browser (Chromium), --shellcheck.
prepare() {
    local system
    system=$(find_python)
    # shellcheck disable=SC2034 # read by whoever sources this
    python=$("$system" -m deploy.demo.prepare "$@")
}
