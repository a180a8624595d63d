#!/bin/bash
# Builds the node image in $NODES_DIR (~/.cache/kcs/nodes), from the Kubernetes binaries that tests/kubernetes/build.sh prepares.
# What is there and was made from the same is kept. NODES_ADDONS=1: with the programs of add-ons that clusters have only where they are asked for, Traefik and
# kube-network-policies, which take a quarter of an hour the first time.
. "$(dirname "$0")/settings.sh"
version=${1:-v1.36.3}
cache=${KCS_KUBERNETES_DIR:-${KCS_KUBERNETES_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kcs/kubernetes}}
[ "$(id -u)" = 0 ] || die 'must be root'
for part in "$version" tools; do
    [ -e "$cache/$part/.built" ] || "$(dirname "$HERE")/kubernetes/build.sh" "$part"
done
addons=$HERE/../../backend/bootstrap/src/addons
mark=$( (grep -h ' image: ' "$addons"/*.yaml; cat "$cache/$version/.built" "$cache/tools/.built" "$GUESTS"/{build-image.sh,image-config.sh} "$GUESTS"/images/*.* "$GUESTS"/images/*/*) | sha256sum)
mkdir -p "$NODES_DIR"
exec 9> "$NODES_DIR/.lock"
flock 9
built=$(cat "$NODES_DIR/image/.built" 2> /dev/null || true)
if [ "${built% addons}" != "$mark" ] || { [ -n "${NODES_ADDONS:-}" ] && [ "${built##* }" != addons ]; }; then
    command -v go > /dev/null || PATH=$PATH:/usr/local/go/bin
    rm -f "$NODES_DIR/image/.built"
    "$GUESTS/build-image.sh" "$cache/$version" 9>&-
    echo "$mark${NODES_ADDONS:+ addons}" > "$NODES_DIR/image/.built"
fi
say "the node image of $version is there"
