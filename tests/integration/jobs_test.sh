#!/bin/bash
# `continuo jobs`, a render in the daemon, a scan: what they say, their exit codes, and what a kill leaves.
. "$(dirname "$0")/../support/daemon.sh"
wav() { "$CONTINUO_SUPPORT/wav.py" "$@"; }
wav make "$dir/media/a.wav" 2 48000 || die "cannot write a sound"
mkdir "$dir/media/mixes"
cat >"$dir/media/s.json" <<'END'
{"format": 1, "sample_rate_hz": 48000,
 "nodes": [{"id": "a", "type": "track", "params": {"gain_db": -3}, "children": [{"id": "p", "type": "player", "params": {"file": "a.wav"}}]}],
 "connections": [{"from": "a", "to": "out"}]}
END
hidden() { find "$dir/media" -name '.*' -type f; }
state_of() { continuo jobs show "$1" --json | json state; }
daemon_start
expect "load" continuo session load "$dir/media/s.json"

# The same file as the program makes of the same session file
expect "render" continuo render --on-server media:mixes/m.wav
grep -qF "media:mixes/m.wav: 48000 frames" "$dir/said" || { fail "the render says"; cat "$dir/said"; }
(cd "$dir/media" && timeout 60 continuo-render s.json -o "$dir/alone.wav" --bits 24 --tail auto >/dev/null) || fail "alone"
cmp "$dir/alone.wav" "$dir/media/mixes/m.wav" || fail "not the same file"
expect_exit 73 FILE_EXISTS continuo render --on-server media:mixes/m.wav
expect "force, a part, FLAC" continuo render --on-server media:mixes/m.flac --force --from 250ms --to 0:00.75 --format pcm16
timeout 60 continuo-render compare "$dir/media/mixes/m.flac" "$dir/media/mixes/m.wav" >"$dir/said" 2>&1
grep -qF "24000 frames" "$dir/said" || fail "a part is not as long as it should be"
expect_exit 77 OUTSIDE_ROOT continuo render --on-server media:../x.wav
expect_exit 66 FOLDER_NOT_FOUND continuo render --on-server media:none/x.wav
expect_exit 64 "" continuo render --on-server media:x.wav --format pcm8
expect_exit 64 "" continuo render --on-server
expect "help" continuo render --on-server --help
grep -qF -- "--no-wait" "$dir/said" || fail "no help"
continuo render --on-server media:mixes/j.wav --json >"$dir/said" || fail "json"
[ "$(tail -n 1 "$dir/said" | json state)" = STATE_DONE ] || { fail "the last line is not the end"; cat "$dir/said"; }

# Listed, shown, watched, cancelled
id=$(continuo render --on-server media:long.wav --to 100:00:00 --no-wait) || fail "no wait"
within 20 test -n "$(hidden)" || fail "nothing is rendered"
expect "list" continuo jobs
grep -qF "media:long.wav" "$dir/said" || { fail "not listed"; cat "$dir/said"; }
continuo jobs list --json | head -n 1 | json job_id >/dev/null || fail "no JSON"
expect "cancel" continuo jobs cancel "$id"
expect "watch" continuo jobs watch "$id"
grep -q cancelled "$dir/said" || { fail "not cancelled"; cat "$dir/said"; }
[ -z "$(hidden)" ] && [ ! -e "$dir/media/long.wav" ] || fail "a cancel left $(hidden)"
expect_exit 65 JOB_ENDED continuo jobs cancel "$id"
expect_exit 66 UNKNOWN_JOB continuo jobs show 4711
continuo events --kind job >"$dir/said" && grep -qF "render of media:long.wav" "$dir/said" || { fail "not in the journal"; cat "$dir/said"; }
[ "$(continuo __complete words jobs | grep -c '^cancel$\|^watch$')" = 2 ] || fail "no completion"

for id in 99999999999999999999 18446744073709551616 -1 seven; do
  for command in show watch cancel; do expect_exit 64 "$id" continuo jobs $command $id; done
done
expect_exit 66 UNKNOWN_JOB continuo jobs show 18446744073709551615
expect_exit 64 "--timeout" continuo render --on-server media:x.wav --timeout nan
expect_exit 65 "'99999:00:00'" continuo render --on-server media:x.wav --to 99999:00:00
grep -qF -- "--to" "$dir/said" || { fail "which time is too far"; cat "$dir/said"; }
expect_exit 65 "'99998:00:00'" continuo render --on-server media:x.wav --from 99998:00:00
expect_exit 65 "'250ms'" continuo render --on-server media:x.wav --from 1s --to 250ms
expect_exit 64 "'999999999:00:00'" continuo render --on-server media:x.wav --to 999999999:00:00
expect_exit 65 "silent in a render" continuo render --on-server media:x.wav --loudness-of in
expect_exit 65 BAD_FILE_NAME continuo render --on-server $'media:x\xe2\x80\xae.wav'
expect_exit 65 BAD_FILE_NAME continuo media put "$dir/media/a.wav" $'media:x\xe2\x80\xae.wav'

# Scans
expect "scan" continuo media scan media: --wait
head -c 30000 "$dir/media/a.wav" >"$dir/media/cut.wav"
expect_exit 65 CUT_OFF continuo media scan media: --wait
expect "scan and go" continuo media scan media:

# A full disk, where this machine lets us have a small one
mkdir "$dir/media/small"
if mount -t tmpfs -o size=256k tmpfs "$dir/media/small" 2>/dev/null; then
  expect_exit 74 DISK_FULL continuo render --on-server media:small/x.wav --to 10s
  [ -z "$(ls -A "$dir/media/small")" ] || fail "a full disk kept $(ls -A "$dir/media/small")"
  mount -o remount,ro "$dir/media/small"
  expect_exit 77 NOT_WRITABLE continuo render --on-server media:small/x.wav --to 10s
  umount "$dir/media/small"
fi

# A daemon that is killed: its render ends, and the next one clears up.
id=$(continuo render --on-server media:long.wav --to 100:00:00 --no-wait) || fail "another"
within 20 test -n "$(hidden)" || fail "nothing is rendered again"
continuo render --on-server media:other.wav --to 100:00:00 --json >"$dir/followed" 2>"$dir/left" & follower=$!
within 20 grep -q STATE_WAITING "$dir/followed" || fail "a render that waits is not followed"
child=$(pgrep -P "$DAEMON_PID" -x continuo-render)
[ -n "$child" ] || fail "no process of its own"
kill -KILL "$DAEMON_PID"
wait "$DAEMON_PID" 2>/dev/null
wait $follower; [ $? = 69 ] || { fail "who follows a render does not say that nobody answers"; cat "$dir/left"; }
grep -qF "job $(head -n 1 "$dir/followed" | json job_id) goes on where the daemon does" "$dir/left" || { fail "the job is not named"; cat "$dir/left"; }
within 20 test ! -d "/proc/$child" || fail "the render outlived its daemon"
[ -n "$(hidden)" ] || fail "nothing was left to clear up"
daemon_start
within 20 test -z "$(hidden)" || fail "left: $(hidden)"
[ "$(continuo jobs show "$id" --json | json reason)" = DAEMON_ENDED ] || { fail "after a kill"; continuo jobs show "$id" --json; }
expect "the others are known" continuo jobs
grep -qF "media:mixes/m.wav" "$dir/said" || fail "forgotten"

# The daemon's orderly end takes its render along.
expect "load again" continuo session load "$dir/media/s.json"
id=$(continuo render --on-server media:long.wav --to 100:00:00 --no-wait) || fail "a third"
within 20 test -n "$(hidden)" || fail "nothing is rendered the third time"
daemon_stop
[ -z "$(hidden)" ] || fail "an orderly end left $(hidden)"
exit $failures
