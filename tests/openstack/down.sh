#!/bin/bash
# Stops everything up.sh started. --purge also drops the cloud's data; the node image and OpenStack's programs stay.
exec "$(dirname "$(readlink -f "$0")")/../nodes/down.sh" "$@"
