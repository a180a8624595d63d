#!/usr/bin/env bash
# Runs the tests and counts: the last line is "N passed, N failed, N skipped". `test.sh all|lint|unit|e2e|openstack|bench|bench-gate`.
set -uo pipefail
cd "$(dirname "$0")/.."

what=${1:-all}
# What the tests make clusters of, and the kubeadm of the other version, which is asked whether it would take its configuration. `kcs dev` prepares no more than that
# here, either.
export KCS_KUBERNETES_PARTS=${KCS_KUBERNETES_PARTS:-v1.36.3 tools v1.35.4/kubeadm}
logs=${CARGO_TARGET_DIR:-target}/test-logs
mkdir -p "$logs"
passed=0 failed=0 skipped=0
failures=()
started=$SECONDS

# count NAME PASSED FAILED SKIPPED
count() {
    passed=$((passed + $2)) failed=$((failed + $3)) skipped=$((skipped + $4))
    printf '  %-28s %4d passed, %d failed, %d skipped  (%d s)\n' "$1" "$2" "$3" "$4" $((SECONDS - began))
}

# A check that holds or not.
check() {
    local name=$1
    shift
    began=$SECONDS
    if "$@" >"$logs/$name.log" 2>&1; then
        count "$name" 1 0 0
    else
        count "$name" 0 1 0
        failures+=("$name")
        tail -n 60 "$logs/$name.log"
    fi
}

# skip NAME REASON: what cannot be looked at here is said and counted.
skip() {
    echo "SKIPPED: $1: $2"
    skipped=$((skipped + 1))
}

# advisories crates|packages: known faults, in lists that not every machine reaches.
advisories() {
    local name=advisories-$1
    began=$SECONDS
    scripts/advisories.sh "$1" >"$logs/$name.log" 2>&1
    case $? in
        0) count "$name" 1 0 0 ;;
        2) skip "$name" "$(tail -n 1 "$logs/$name.log")" ;;
        *)
            count "$name" 0 1 0
            failures+=("$name")
            tail -n 60 "$logs/$name.log"
            ;;
    esac
}

# Sums the results that cargo's test binaries print. A test that prints "SKIPPED:" has not really passed.
cargo_tests() {
    local name=$1
    shift
    began=$SECONDS
    cargo test --no-fail-fast "$@" -- --show-output ${test_arguments-} >"$logs/$name.log" 2>&1
    local status=$? p f s i
    p=$(grep -oE '^test result: .* [0-9]+ passed' "$logs/$name.log" | grep -oE '[0-9]+' | awk '{ s += $1 } END { print s + 0 }')
    f=$(grep -oE '^test result: .*; [0-9]+ failed' "$logs/$name.log" | grep -oE '[0-9]+ failed' | grep -oE '[0-9]+' | awk '{ s += $1 } END { print s + 0 }')
    s=$(grep -c '^SKIPPED:' "$logs/$name.log")
    i=$(grep -cE '^test .* \.\.\. ignored' "$logs/$name.log")
    grep -E '^SKIPPED:|^test .* \.\.\. ignored' "$logs/$name.log"
    if [[ $status -ne 0 && $f -eq 0 ]]; then
        f=1 # it did not build, or a test binary died
    fi
    if [[ $f -gt 0 ]]; then
        failures+=("$name")
        grep -E '^(error|test .* FAILED|.* --- FAILED|thread .* panicked)' -A 6 "$logs/$name.log" | head -n 120
    fi
    count "$name" $((p - s)) "$f" $((s + i))
}

console_tests() {
    began=$SECONDS
    # One that does not get to its end writes none.
    rm -f "$logs/console.json"
    (cd frontend && npx vitest run --reporter=json --outputFile="$PWD/../$logs_relative/console.json") >"$logs/console.log" 2>&1
    local status=$? p f s
    read -r p f s < <(node -e '
        const r = JSON.parse(require("fs").readFileSync(process.argv[1]));
        console.log(r.numPassedTests, r.numFailedTests + (r.success || r.numFailedTests ? 0 : 1), r.numPendingTests + r.numTodoTests)' "$logs/console.json" 2>/dev/null || echo "0 1 0")
    if [[ $status -ne 0 && $f -eq 0 ]]; then
        f=1 # an error of no test
    fi
    if [[ $f -gt 0 ]]; then
        failures+=(console)
        tail -n 80 "$logs/console.log"
    fi
    count console "$p" "$f" "$s"
}

packages() {
    scripts/deps.sh test || exit 1
}

prepare() {
    make --no-print-directory console || exit 1
    # A console that is as it was when it was last put into the program is not put there again.
    scripts/ages.sh "${CARGO_TARGET_DIR:-target}" frontend/dist || exit 1
}

lint() {
    check format cargo fmt --all --check
    check queries bash tests/postgres/prepare.sh --check
    check clippy cargo clippy --quiet --workspace --all-targets -- -D warnings
    # Of the workspace, as above: of one package the features of what all share differ, and that would be looked at anew.
    check clippy-more cargo clippy --quiet --workspace --test engine --test e2e --test bench --test bench-gate -- -D warnings
    # As it is shipped, without what its tests add to it: what the check of the queries has left.
    check program cargo check --quiet --workspace --bins
    check oxlint npm --prefix frontend run --silent lint
    check typescript npm --prefix frontend run --silent typecheck
    if command -v cargo-deny >/dev/null; then check licences make --no-print-directory licences; else skip licences 'cargo-deny is not installed, make licences does'; fi
    advisories crates
    advisories packages
}

unit() {
    # Without it its test is skipped, and says so.
    tests/openbao/install.sh >"$logs/openbao.log" 2>&1 || true
    # Always of the whole workspace: of one package, or without tests, Cargo chooses other features for the libraries that all stand on, and compiles
    # these and everything above them once more.
    cargo_tests rust --workspace --lib --bins --tests
    # Thousands of whole cluster lives, optimised.
    cargo_tests engine --config scripts/engine.toml --workspace --test engine
    test_arguments='' cargo_tests rust-docs --workspace --doc
}

console() {
    console_tests
    check first-load npm --prefix frontend run --silent budget
}

# The console in Chromium against its stand-in server: sessions, keyboard, every screen by axe.
browser() {
    check console-session npm --prefix frontend run --silent session
    check console-keyboard npm --prefix frontend run --silent keyboard
    check console-screens npm --prefix frontend run --silent screens
}

# Why there is no OpenStack here; nothing if there can be.
no_openstack() {
    if [[ $(id -u) -ne 0 ]]; then echo 'must be root'
    elif ! command -v apt-get >/dev/null; then echo 'needs Debian'
    elif [[ $(awk '/^MemAvailable/ {print int($2 / 1048576)}' /proc/meminfo) -lt 8 ]]; then echo 'needs 8 GiB of free memory'
    fi
}

# What is started in this shell from here on gets the processors while nobody else wants them, and no sooner.
idly() {
    chrt --idle --pid 0 "$BASHPID" 2>/dev/null || renice -n 19 "$BASHPID" >/dev/null 2>&1 || true
}

# What takes a quarter of an hour and more the first time, and is not ours, is made beside our own: the sources of crates, Kubernetes' binaries, then the nodes' image,
# and OpenStack's programs. What goes wrong with it is told where it is needed, and made once more there.
fetch_ahead() {
    local machine
    # Asked here: where the toolchain is missing rustup installs it now, and not for two at once.
    machine=$(rustc -vV | sed -n 's/^host: //p')
    (idly; cargo fetch --quiet --locked --target "$machine") >"$logs/crates-ahead.log" 2>&1 &
    (idly; exec bash tests/kubernetes/build.sh) >"$logs/kubernetes-ahead.log" 2>&1 &
    kubernetes_ahead=$!
    [[ -z $(no_openstack) ]] || return 0
    (idly; tail --pid="$kubernetes_ahead" -f /dev/null; tests/nodes/image.sh && tests/openstack/lab/install.sh) >"$logs/openstack-ahead.log" 2>&1 &
    openstack_ahead=$!
}

kubernetes() {
    [[ -z ${kubernetes_ahead-} ]] || wait "$kubernetes_ahead"
    check kubernetes-binaries bash tests/kubernetes/build.sh
}

build_program() {
    check kcs cargo build --quiet --workspace --bins --test e2e
}

e2e() {
    build_program
    # Two stories at a time, which mostly wait, and nothing beside them: some look at what seconds do.
    test_arguments='--test-threads=2' cargo_tests e2e --workspace --test e2e
}

# suite NAME COMMAND...: one that ends with "N passed, N failed".
suite() {
    local name=$1 last p=0 f=0
    shift
    began=$SECONDS
    "$@" >"$logs/$name.log" 2>&1
    local status=$?
    last=$(tail -n 1 "$logs/$name.log")
    if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
        p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]}
    else
        status=1
    fi
    if [[ $status -ne 0 && $f -eq 0 ]]; then
        f=1 # it did not get to its end, or went wrong behind it
    fi
    count "$name" "$p" "$f" "$(grep -c '^SKIPPED:' "$logs/$name.log")"
    grep -E '^(SKIPPED|seconds): ' "$logs/$name.log"
    if [[ $f -gt 0 ]]; then
        failures+=("$name")
        # What a suite found is told before the line that says so.
        grep -E -B 4 'FAIL|^failed: ' "$logs/$name.log" | cut -c 1-4000 || true
        [[ $last =~ passed ]] || tail -n 40 "$logs/$name.log"
    fi
}

# KCS on a real OpenStack whose servers really boot.
openstack() {
    local reason
    # The memory that it takes is free again then, and nothing is left behind.
    [[ -z ${openstack_ahead-} ]] || wait "$openstack_ahead"
    reason=$(no_openstack)
    if [[ -n $reason ]]; then
        skip openstack "$reason"
        skip nodes "$reason"
        return
    fi
    build_program
    export KCS_BIN=${CARGO_TARGET_DIR:-target}/debug/kcs
    tests/openstack/down.sh --purge >"$logs/openstack-down.log" 2>&1
    check openstack-up tests/openstack/up.sh
    # What takes longest is left to those who ask for it.
    skip openstack-ha 'three masters, and resizes under faults, take too long here: make openstack-test'
    skip nodes-ha 'three masters that boot, a power cut and a kubelet that stops take too long here: make nodes-test'
    skip nodes-addons 'an ingress controller, and namespaces kept apart, take too long here: make nodes-test'
    skip nodes-site 'a site with a mirror, an authority and name servers of its own takes too long here: make nodes-test'
    skip nodes-local 'whole nodes in the local cloud take too long here: make nodes-local-test'
    suite openstack tests/openstack/test.sh check_cloud load_balancer_in_error case_36_volume_in_error case_26_no_valid_host case_41_names_alike quota_before_and_midway \
        much_goes_wrong passcode identity case_21_project_deleted
    KCS_SCREENS=$logs/nodes-screens suite nodes tests/nodes/test.sh small
    check openstack-down tests/openstack/down.sh --purge
}

# NAME: one of the benches of tests/e2e.
bench() {
    cargo build --quiet --release --workspace --bins --examples --test "$1" && cargo test --quiet --release --workspace --test "$1" -- --nocapture --test-threads=1
}

# The machine's memory in use, in MiB; caches that it would give up are not.
in_use() { awk '/^MemTotal/ {t = $2} /^MemAvailable/ {a = $2} END {print int((t - a) / 1024)}' /proc/meminfo; }

# Keeps the most that was in use above what it was at the start, while this script runs.
watch_memory() {
    local before most=0 now
    before=$(in_use)
    while kill -0 $$ 2>/dev/null; do
        now=$(($(in_use) - before))
        if [[ $now -gt $most ]]; then most=$now; echo "$most" >"$logs/memory"; fi
        sleep 2
    done
}

case $logs in
    /*) logs_relative=$(realpath --relative-to=. "$logs") ;;
    *) logs_relative=$logs ;;
esac

echo 0 >"$logs/memory"
watch_memory &
case $what in
    # What needs nothing that is made ahead comes first.
    all) packages; fetch_ahead; prepare; lint; console; browser; kubernetes; unit; e2e; openstack ;;
    lint) packages; prepare; lint ;;
    unit) packages; prepare; unit; console ;;
    e2e) packages; prepare; kubernetes; e2e; browser ;;
    openstack) packages; prepare; kubernetes; openstack ;;
    bench | bench-gate) packages; prepare; bench "$what"; exit ;;
    *) echo "test.sh all|lint|unit|e2e|openstack|bench|bench-gate" >&2; exit 2 ;;
esac

echo "  $((SECONDS - started)) s in all, at most $(cat "$logs/memory") MiB of memory more than before; logs in $logs"
[[ ${#failures[@]} -gt 0 ]] && echo "  failed: ${failures[*]}"
echo "$passed passed, $failed failed, $skipped skipped"
[[ $failed -eq 0 ]]
