#!/bin/bash
# Clusters made by KCS on a real OpenStack, with nodes that really boot: `test.sh [small] [ha] [addons] [site]`, default all. Needs root; installs, starts and
# stops what does not run yet. Chromium looks at the console.
# KCS_BIN: the program, default the debug build. KCS_SCREENS: folder for pictures of the console.
. "$(dirname "$0")/settings.sh"
case " ${*:-addons} " in *' addons '*) NODES_ADDONS=1 "$HERE/image.sh" ;; esac
exec "$HERE/../openstack/run.sh" "$HERE/suite.py" "$@"
