#!/bin/bash
# Regenerates .sqlx, by which the store's queries are checked at compile time without a database: a private Postgres, the migrations, `cargo check`.
#
#   prepare.sh            writes .sqlx
#   prepare.sh --check    fails if .sqlx is not what the queries need, or the program does not compile
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
work=$(mktemp -d)
chmod 711 "$work"
as=()
if [ "$(id -u)" = 0 ]; then
    as=(setpriv --reuid=postgres --regid=postgres --clear-groups --)
    chown postgres "$work"
fi
# Cargo checks the store again only where its source is younger than the last check. Its age is given back, unless somebody wrote it meanwhile: else
# every other build of it, and of all that stands on it, would begin anew.
store=$root/backend/store/src/lib.rs
touch -r "$store" "$work/age"
touch -r "$store" "$work/touched"
finish() {
    [ "$store" -nt "$work/touched" ] || touch -r "$work/age" "$store"
    "${as[@]}" "$bin/pg_ctl" -D "$work/data" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap finish EXIT
(cd / && "${as[@]}" "$bin/initdb" -D "$work/data" -U kcs --auth trust --no-sync >/dev/null)
(cd / && "${as[@]}" "$bin/pg_ctl" -D "$work/data" -l "$work/log" -o "-c listen_addresses= -c fsync=off -k $work" -w start >/dev/null)
for file in "$root"/migrations/*.sql; do
    "$bin/psql" -q -v ON_ERROR_STOP=1 -h "$work" -U kcs -d postgres -f "$file"
done
# What sqlx notes of the migrations it applies (sqlx-postgres, migrate.rs), which one query reads.
"$bin/psql" -q -v ON_ERROR_STOP=1 -h "$work" -U kcs -d postgres -c 'CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL,
    installed_on TIMESTAMPTZ NOT NULL DEFAULT now(), success BOOLEAN NOT NULL, checksum BYTEA NOT NULL, execution_time BIGINT NOT NULL)'
mkdir -p "$work/sqlx"
chmod 777 "$work/sqlx"
# Writing needs the store alone, whatever does not go with it yet. With `--check` the whole program is looked at, as it is shipped: of one package Cargo chooses other
# features for what it stands on, and a hundred libraries would be checked, and macros compiled, for this alone.
what=(-p store)
[ "${1:-}" != --check ] || what=(--workspace --bins)
# Another cargo that waits for the same lock may compile the store first; then there is nothing to check, and nothing is written.
for _ in 1 2 3 4 5; do
    touch "$store"
    touch -r "$store" "$work/touched"
    DATABASE_URL="postgres://kcs@localhost/postgres?host=$work" SQLX_OFFLINE=false SQLX_OFFLINE_DIR="$work/sqlx" cargo check --quiet "${what[@]}"
    [ -z "$(ls "$work/sqlx")" ] || break
done
[ -n "$(ls "$work/sqlx")" ] || { echo "error: the queries could not be checked: another build was always first" >&2; exit 1; }
if [ "${1:-}" = --check ]; then
    diff -r "$work/sqlx" "$root/.sqlx" >/dev/null || { echo "error: .sqlx is not what the queries need: run tests/postgres/prepare.sh" >&2; exit 1; }
else
    mkdir -p "$root/.sqlx"
    rm -f "$root"/.sqlx/*.json
    cp "$work"/sqlx/*.json "$root/.sqlx/"
    chmod 644 "$root"/.sqlx/*.json
fi
