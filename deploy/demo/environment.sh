# shellcheck shell=bash
# deploy/demo.sh and tests/run.sh source this file. Both change to the root of the checkout first.

# Prints "3.13 /path/to/python" for the newest Python of each minor version that is new enough and can make virtual
# environments, newest first. Searches PATH and pyenv's versions, since a shim of pyenv may have no version behind it.
find_pythons() {
    local folders folder candidate
    IFS=: read -r -a folders <<<"$PATH"
    for folder in "${folders[@]}" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin; do
        for candidate in "$folder"/python3 "$folder"/python3.1[1-9] "$folder"/python3.[2-9][0-9]; do
            [[ -x $candidate ]] && { "$candidate" -I -S -c "$probe" 2>/dev/null || true; }
        done
    done | sort -s -k1,1nr -k2,2nr | awk '!seen[$1]++ { version = "3." $1; sub(/^[0-9]+ [0-9]+ /, ""); print version, $0 }'
}
probe='
import importlib.util, sys
version = sys.version_info
if version >= (3, 11) and version.releaselevel == "final" and importlib.util.find_spec("ensurepip"):
    print(version.minor, version.micro, sys.executable)'

# Prints the Python version of the image.
image_python() { sed -n 's/^ARG PYTHON_IMAGE=python:\([0-9]*\.[0-9]*\).*/\1/p' Dockerfile; }

# Prints the path of a Python of the image's version, since that version ships; otherwise the path of the newest.
find_python() {
    local found
    found=$(find_pythons)
    if [[ -z $found ]]; then
        echo "Python 3.11 or newer that can make virtual environments not found (Debian: python3 and python3-venv)" >&2
        return 1
    fi
    awk -v image="$(image_python)" 'NR == 1 || $1 == image { sub(/^[^ ]+ /, ""); path = $0 } END { print path }' <<<"$found"
}

# Installs what the options ask for, and sets `python` to the interpreter of the environment:
# --servers (Directus, nginx), --packages (the tests' npm packages), --browser (Chromium), --shellcheck, --redis, --prometheus,
# --image (what builds one).
prepare() {
    local system
    system=$(find_python)
    # shellcheck disable=SC2034 # read by the script that sources this
    python=$("$system" -m deploy.demo.prepare "$@")
}
