#!/usr/bin/env bash
# step.sh WHAT COMMAND...: runs a command; a line says what is being done when that takes over a second, and another how long it took.
set -uo pipefail
what=$1
shift
begun=$SECONDS
"$@" &
work=$!
trap 'kill "$work" 2>/dev/null; wait "$work"; exit 130' INT TERM
(sleep 1 && kill -0 "$work" 2>/dev/null && echo "  $what …" >&2) &
told=$!
wait "$work"
status=$?
kill "$told" 2>/dev/null
((SECONDS - begun >= 1)) && echo "  $what: $((SECONDS - begun)) s" >&2
exit "$status"
