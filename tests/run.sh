#!/usr/bin/env bash
# Checks everything: form, types, the direction of imports, the shell scripts, then every test.
# With arguments only these: format lint types imports shell unit integration, and e2e where there is one.
# Goes on after a failure; the exit code is 1 if anything failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# shellcheck source=deploy/demo/environment.sh
source deploy/demo/environment.sh

all=(format lint types imports shell unit integration)
[[ ! -d tests/e2e ]] || all+=(e2e)
scripts=(deploy/demo.sh deploy/demo/environment.sh tests/run.sh
    tests/benchmarks/run.sh tests/soak/run.sh .ci/run)
failed=()

main() {
    local wanted=("$@") check
    ((${#wanted[@]})) || wanted=("${all[@]}")
    for check in "${wanted[@]}"; do
        [[ " ${all[*]} " == *" $check "* ]] || usage "$check"
    done
    prepare_for "${wanted[@]}"
    # pytest comes last, so that its closing line is the last of a run in which all went well.
    for check in "${all[@]}"; do
        [[ " ${wanted[*]} " == *" $check "* ]] && run "$check"
    done
    if ((${#failed[@]})); then
        echo "Failed: ${failed[*]}" >&2
        return 1
    fi
}

usage() {
    echo "There is no check called $1; there are: ${all[*]}" >&2
    exit 2
}

prepare_for() {
    local options=()
    [[ " $* " == *" shell "* ]] && options+=(--shellcheck)
    [[ " $* " =~ \ (integration|e2e)\  ]] && options+=(--servers)
    [[ " $* " =~ \ (unit|integration|e2e)\  ]] && options+=(--packages)
    [[ " $* " == *" e2e "* ]] && options+=(--browser)
    prepare ${options[@]+"${options[@]}"} # an empty array is unset to older bashes
    bin=$(dirname "$python")
}

run() {
    local start=$SECONDS
    echo "── $1"
    if "check_$1"; then
        [[ $1 =~ ^(unit|integration|e2e)$ ]] || echo "   $((SECONDS - start)) s"
    else
        echo "   FAILED after $((SECONDS - start)) s"
        failed+=("$1")
    fi
}

check_format() { "$bin/ruff" format --check .; }
check_lint() { "$bin/ruff" check .; }
check_types() { "$bin/mypy"; }
check_imports() { "$bin/lint-imports" --no-logo; }

check_shell() {
    if command -v shellcheck >/dev/null; then
        shellcheck --external-sources "${scripts[@]}"
    else
        echo "   left out: shellcheck is not installed"
        [[ ${CI:-} != true ]]
    fi
}

check_unit() { "$bin/pytest" tests/unit --numprocesses=auto; }

# Without workers: they would start a Directus each.
check_integration() { "$bin/pytest" tests/integration; }

check_e2e() {
    if command -v chromium >/dev/null; then
        "$bin/pytest" tests/e2e
    else
        echo "   left out: chromium is not installed"
        [[ ${CI:-} != true ]]
    fi
}

main "$@"
