#!/bin/bash
# After kill -9 and after SIGTERM: the daemon that is told to resume plays on where it was and records on into a new take; the old
# one is whole. SIGTERM with 16 channels under way: exit 0 within 5 s, every take under its name.
. "$(dirname "$0")/../support/daemon.sh"
wav=$CONTINUO_SUPPORT/wav.py
"$wav" make "$dir/media/long.wav" 2 2880000 || die "cannot write the noise"
resume="--device=clock --start-playback resume --start-recording resume"
daemon_start $resume
expect "track" continuo track add song --file "$dir/media/long.wav"
expect "locate" continuo locate 10s
expect "play and record" continuo record start out --play
position() { continuo status --json | json clock.timeline_frame; }
rolled() { [ "$(position)" -gt "$1" ]; }
within 10 rolled 600000 || die "the timeline does not roll"
saved() { grep -q record_start "$dir/state/last-place.json" && grep -q song "$dir/state/last-session.json"; }
within 10 saved || die "where things stand is not kept"
before=$(position)
kill -KILL "$DAEMON_PID"
wait "$DAEMON_PID" 2>/dev/null
DAEMON_PID=

daemon_start $resume
after=$(position)
[ "$after" -gt $((before - 72000)) ] || fail "it stood at $before, and goes on at $after: more than a second and a half before"
[ "$(continuo status --json | json clock.rolling)" = true ] || fail "it does not play on"
continuo takes --json >"$dir/said"
grep -q '"recovered":true' "$dir/said" || within 10 sh -c 'continuo takes --json | grep -q "\"recovered\":true"' || fail "the take that was cut off is not recovered"
within 10 sh -c 'continuo takes --json | grep -q "\"recording\":true"' || fail "it does not record on"
rolled_on=$((after + 24000))
within 10 rolled $rolled_on || fail "it stands"
daemon_stop 5
[ "$(ls "$dir"/takes/*.wav | wc -l)" = 2 ] || fail "there are not two takes: $(ls "$dir/takes")"
[ "$(ls "$dir"/takes/*.part 2>/dev/null | wc -l)" = 0 ] || fail "a part is left"
for take in "$dir"/takes/*.wav; do "$wav" info "$take" >/dev/null || fail "$take does not open"; done

# Told nothing: the last session, stopped at its beginning. Told so: an empty one.
daemon_start --device=clock
continuo session show | grep -q song || fail "the last session is not there again"
[ "$(continuo status --json | json clock.rolling)" = false ] || fail "it plays unasked"
[ "$(position)" = 0 ] || fail "it stands at $(position)"
daemon_stop 5
daemon_start --device=clock --start-session empty
[ "$(continuo status --json | json nodes)" -le 2 ] || fail "the session came back unasked"
daemon_stop 5

# SIGTERM with 16 channels, one file each.
rm -f "$dir"/takes/*
daemon_start --device clock --in-channels 16
expect "record" continuo record start in --split
within 10 sh -c '[ "$(continuo takes --json | head -1 | grep -c "\"frames\"")" = 1 ]' || fail "nothing is recorded"
daemon_stop 5
[ "$(ls "$dir"/takes/*.wav | wc -l)" = 16 ] || fail "not 16 files: $(ls "$dir/takes")"
exit $failures
