#!/bin/sh
# A callee in POSIX sh and curl: takes what is entrusted to AGENT, one piece after another, beats while it works.
#
#     sh callee.sh AGENT              CONSIGN_URL: the server; BEAT_S: seconds between two heartbeats
set -u
agent=$1 url=${CONSIGN_URL:-http://127.0.0.1:7420}/v1
worker=$(uname -n)-$$ # The same name again is given the same work again: a claim whose answer was lost costs nothing.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'touch "$dir/leaving"; kill $working 2> /dev/null' TERM INT

# The work; put yours here. It reads the delegation, prints its answer as JSON, and keeps its progress, as JSON, in a
# file. Where it fails, it says why on standard error. It ends when it is killed.
work() {
    count_to=$(sed -n 's/.*"task":{"count_to": *\([0-9]*\)}.*/\1/p')
    [ "$count_to" ] || { echo 'the task must be {"count_to": NUMBER}' >&2; return 1; }
    counted=0
    while [ "$counted" -lt "$count_to" ]; do
        sleep 1
        counted=$((counted + 1)) && echo "$counted" > "$dir/progress"
    done
    echo "$counted"
}

# Sends a request until it is answered, and prints the answer. Each request of a callee may be repeated.
ask() {
    until answer=$(printf %s "$2" | curl -sS --json @- --max-time 75 "$url$1") &&
        ! printf %s "$answer" | grep -Eq '^\{"type":.*"status":(408|429|503)'
    do [ ! -e "$dir/leaving" ] || return; sleep 1; done
    printf '%s\n' "$answer"
}

# Any text as a segment of a path, and inside a string of JSON.
segment() { printf %s "$1" | od -An -v -tx1 | tr -d '\n' | tr ' ' %; }
json() { tr -d '\000-\010\013-\037' | sed 's/[\\"]/\\&/g; s/	/\\t/g' | awk '{ printf "%s%s", n, $0; n = "\\n" }'; }

# Beats, for as long as the worker lives, until it is told to stop: then it ends the work.
beat() {
    while sleep "${BEAT_S:-10}" && kill -0 $$; do
        ask "$it/heartbeat" "{$lease, \"progress\": $(cat "$dir/progress")}" | grep -q '"stop":true' && touch "$dir/stop"
        [ ! -e "$dir/stop" ] && [ ! -e "$dir/leaving" ] || kill "$working"
    done
}

while working='' && [ ! -e "$dir/leaving" ]; do
    ask "/agents/$(segment "$agent")/claim" "{\"claim_id\": \"$worker\", \"wait_s\": 10}" > "$dir/claim" || exit 0
    case $(cat "$dir/claim") in '{"claims":[]}') continue ;; '{"claims":[{'*) ;; *) cat "$dir/claim" >&2; exit 1 ;; esac
    id=$(sed -En 's/^\{"claims":\[\{"delegation":\{"delegation_id":"(([^"\\]|\\.)*)".*/\1/; s/\\(.)/\1/g; p' "$dir/claim")
    it=/delegations/$(segment "$id") lease=$(sed 's/.*\("lease":"[^"]*"\).*/\1/' "$dir/claim")
    echo null > "$dir/progress"; rm -f "$dir/stop"
    work < "$dir/claim" > "$dir/answer" 2> "$dir/why" & working=$!; [ ! -e "$dir/leaving" ] || kill $working
    beat 2> /dev/null & beating=$!
    wait $working; code=$?
    kill $beating
    if [ -e "$dir/stop" ]; then echo "told to stop $id"
    elif [ $code = 0 ]; then ask "$it/complete" "{$lease, \"result\": $(cat "$dir/answer")}"
    elif [ -e "$dir/leaving" ]; then ask "$it/release" "{$lease, \"reason\": \"the worker is shut down\"}"
    else ask "$it/fail" "{$lease, \"error_detail\": \"$(json < "$dir/why")\"}"; fi
done
