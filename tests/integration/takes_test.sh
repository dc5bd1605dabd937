#!/bin/bash
# Takes of a real daemon in trouble: killed at 30 random moments, and a disk (here: a limit of the file size) that is full.
. "$(dirname "$0")/../support/daemon.sh"
mkdir "$dir/kills"
timeout 120 "$CONTINUO_SUPPORT/kill_takes.py" 30 "$dir/kills" || fail "kill -9"

# A full disk: 300 kB are less than a second.
ulimit -S -f 300
daemon_start
expect "a session" continuo session new full --rate 48000
expect_exit 74 "File too large" continuo record start out --for 60s --wait --file takes:a.wav
"$CONTINUO_SUPPORT/wav.py" info "$dir/takes/a.wav" | grep -q '^2 348[0-9][0-9] 48000 ' || fail "the take is not what fitted"
continuo status >"$dir/said"
grep -q '^degraded' "$dir/said" && grep -q 'takes:a.wav ended after 0 s' "$dir/said" || { fail "status"; cat "$dir/said"; }
# Who stops later is told as well, once; and the sound goes on.
expect "start" continuo record start out --file takes:b.wav
within 20 sh -c 'continuo takes | grep -q "takes:b.wav.*failed: "' || fail "the second take's end is not told"
expect_exit 74 "takes:b.wav" continuo record stop
expect "nothing to stop" continuo record stop
grep -q 'takes:b.wav ended after' "$dir/log" || fail "the log does not tell"
expect "health" continuo health
ulimit -S -f unlimited
# The same name again, once the file was deleted: its own end is waited for.
rm "$dir/takes/a.wav"
DAEMON_SAID=$(continuo record start out --for 5000f --wait --file takes:a.wav) || fail "a name that was free again"
"$CONTINUO_SUPPORT/wav.py" info "$DAEMON_SAID" | grep -q '^2 5000 48000 ' || fail "the take of a name that was free again"
daemon_stop
exit $failures
