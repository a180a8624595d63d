# Shared settings and helpers; every script sources this. Override the settings from the environment.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export OSLAB_STATE=${OSLAB_STATE:-/var/tmp/oslab}          # databases, configuration, logs, pid files
export OSLAB_VENV=${OSLAB_VENV:-$OSLAB_STATE/venv}         # the Python environment (kept across runs)
export OSLAB_COMPUTES=${OSLAB_COMPUTES:-3}                 # nova-compute processes, one availability zone each
export OSLAB_WORKERS=${OSLAB_WORKERS:-2}                   # uWSGI processes per API
export OSLAB_PASSWORD=${OSLAB_PASSWORD:-lab}               # every user's password
export OSLAB_WAIT=${OSLAB_WAIT:-240}                       # seconds that each service may take to come up
export OSLAB_FAULTS=$OSLAB_STATE/faults.json               # read by the fake drivers at each operation
export OSLAB_HOST=${OSLAB_HOST:-127.0.0.1}                 # address of the public endpoints; one of this machine's own
export OSLAB_HOOK=${OSLAB_HOOK:-$OSLAB_STATE/hook}         # run at servers' events, see glue/oslab_hook.py
S=$OSLAB_STATE BIN=$OSLAB_VENV/bin C=$OSLAB_STATE/etc RUN=$OSLAB_STATE/run LOG=$OSLAB_STATE/log
RABBIT_PORT=${OSLAB_RABBIT_PORT:-5673} MEMCACHE_PORT=${OSLAB_MEMCACHE_PORT:-11212}
export OS_CLIENT_CONFIG_FILE=$HERE/clouds.yaml
LB_LINK=oslab-lb                                           # lb_proxy.py's bridge
RANGES='198.18.0.0/15 198.51.100.0/24'                      # addresses of the lab's own networks
# nothing here may go through an outbound proxy
export no_proxy=127.0.0.1,localhost,$OSLAB_HOST NO_PROXY=127.0.0.1,localhost,$OSLAB_HOST

say() { printf '%4d s  %s\n' $SECONDS "$*"; }
die() { echo "FAILED: $*" >&2; exit 1; }
# broken NAME WHAT: a service's failure, with the end of its log
broken() { tail -n 12 "$LOG/$1.log" >&2 || true; die "$1 $2; its log: $LOG/$1.log"; }
# one up.sh or down.sh at a time
exclusive() { mkdir -p "$S" && exec 9>"$S/.lock" && flock -n 9 || die "another up.sh or down.sh is at work on $S"; }

# A pid file holds a pid and when that process started, so that another process that got the same pid is never
# mistaken for ours (a zombie counts as gone).
born() {
    local stat
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    # shellcheck disable=SC2086
    set -- ${stat##*) }
    [ "$1" != Z ] && echo "${20}"
}
pid_of() { local pid at; { read -r pid at <"$RUN/$1.pid"; } 2>/dev/null && [ "$(born "$pid")" = "$at" ] && echo "$pid"; }
alive() { pid_of "$1" >/dev/null; }
names() { (cd "$RUN" 2>/dev/null && ls -- *.pid 2>/dev/null | sed 's/\.pid$//') || true; }
listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# start NAME PORT COMMAND...: run in the background in a session of its own, unless it runs; PORT is - for none
start() {
    local name=$1 port=$2; shift 2
    alive "$name" && return 0
    [ "$port" = - ] || ! listening "$port" || die "port $port, which $name needs, is taken by another process"
    # OSLAB_SERVICE is the mark by which down.sh knows what is left of it
    OSLAB_SERVICE=$name TMPDIR=$S/tmp setsid "$@" >>"$LOG/$name.log" 2>&1 </dev/null 9>&- &
    echo "$! $(born $!)" >"$RUN/$name.pid"
    fresh[$name]=started
}
declare -A fresh=()

# up NAME WHERE COMMAND...: wait until the command succeeds, then report NAME; stop when NAME dies or takes too long
up() {
    local name=$1 where=$2 until=$((SECONDS + OSLAB_WAIT)); shift 2
    until "$@" >/dev/null 2>&1; do
        alive "$name" || broken "$name" 'stopped while starting'
        [ $SECONDS -lt $until ] || broken "$name" "does not answer after $OSLAB_WAIT s"
        sleep 0.3
    done
    report "$name" "$where"
}
report() { say "$(printf '%-24s %-22s %s' "$1" "$2" "${fresh[$1]:-was running}")"; }

# supervised COMMAND...: run it, but stop when a service dies meanwhile
supervised() {
    local job name
    "$@" 9>&- &
    job=$!
    while kill -0 $job 2>/dev/null; do
        for name in $(names); do
            alive "$name" || { kill $job 2>/dev/null || true; broken "$name" 'has stopped'; }
        done
        sleep 0.5
    done
    wait $job
}

# api NAME PORT MODULE [ARGS FOR THE APPLICATION]: one API under uWSGI
api() {
    local name=$1 port=$2 module=$3 also=(); shift 3
    [ "$OSLAB_HOST" = 127.0.0.1 ] || also=(--http-socket "$OSLAB_HOST:$port")
    start "$name" "$port" "$BIN/uwsgi" --master --die-on-term --need-app --enable-threads --lazy-apps \
        --http-socket 127.0.0.1:$port "${also[@]}" --listen 100 --buffer-size 65535 --http-chunked-input \
        --add-header 'Connection: close' --post-buffering 8192 \
        --processes "$OSLAB_WORKERS" --threads 1 --thunder-lock \
        --worker-reload-mercy 5 --set start-time=%t --virtualenv "$OSLAB_VENV" \
        --module "$module" ${1:+--pyargv "$*"}
}
http() { curl -s -o /dev/null --max-time 5 "http://127.0.0.1:$1/"; }
up_api() { up "$1" "http://127.0.0.1:$2" http "$2"; }

# await SECONDS WHAT COMMAND...: poll until the command succeeds
await() {
    local until=$((SECONDS + $1)) what=$2; shift 2
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $until ] || die "timed out waiting for $what, see $LOG"
        sleep 0.3
    done
}
