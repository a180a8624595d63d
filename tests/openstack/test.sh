#!/bin/bash
# KCS against the real services: `test.sh [STORY...]`, default all. Needs root; installs, starts and stops what does not run yet.
# KCS_BIN: the program, default the debug build.
exec "$(dirname "$(readlink -f "$0")")/run.sh" "$(dirname "$(readlink -f "$0")")/suite/main.py" "$@"
