#!/usr/bin/env bash
# Looks for known faults of crates, or of the console's packages, in public lists: `advisories.sh crates|packages`. Ends with 0 where none is known, with 1 where
# one is, and with 2 where the list could not be asked: the last line says why.
set -uo pipefail
cd "$(dirname "$0")/.."

unasked() {
    echo "$1"
    exit 2
}

case ${1-} in
    crates)
        command -v cargo-deny >/dev/null || unasked 'cargo-deny is not installed, make licences does'
        # By itself: a list that is not to be had is no fault of a crate's.
        timeout 120 cargo deny --log-level error fetch db >/dev/null 2>&1 || unasked "RustSec's list cannot be fetched from here"
        cargo deny --log-level error check --disable-fetch advisories || exit 1
        ;;
    packages)
        said=$(cd frontend && timeout 120 npm audit --json 2>/dev/null)
        node -e '
            let said = {};
            try { said = JSON.parse(process.argv[1]); } catch {}
            const total = said.metadata?.vulnerabilities?.total;
            if (total === undefined) {
                console.log(`the registry in use does not answer npm audit (${said.statusCode ?? said.error?.code ?? "no answer"})`);
                process.exit(2);
            }
            for (const [name, fault] of Object.entries(said.vulnerabilities)) console.log(`${fault.severity}: ${name} ${fault.range}`);
            process.exit(total > 0 ? 1 : 0)' -- "$said"
        ;;
    *)
        echo "advisories.sh crates|packages" >&2
        exit 64
        ;;
esac
