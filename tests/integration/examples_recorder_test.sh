#!/bin/bash
# The example "32-track recorder": it loads, every recorder listens, one command records 32 tracks of equal length from one sample
# on, and what was before is in them.
. "$(dirname "$0")/../support/daemon.sh"
example=$(dirname "$0")/../../deploy/examples/32-track-recorder/session.json
wav=$CONTINUO_SUPPORT/wav.py
daemon_start --device clock --in-channels 32
expect "load" continuo session load "$example"
listening() { [ "$(continuo status --json | python3 -c 'import json, sys
print(sum(1 for one in json.load(sys.stdin).get("pre_records", []) if one.get("kept_seconds", 0) > 1))')" = 32 ]; }
within 30 listening || die "not every recorder listens: $(continuo status --json)"
expect "record" continuo record start --for 48000f --wait
[ "$(ls "$dir"/takes/*.wav | wc -l)" = 32 ] || fail "not 32 takes: $(ls "$dir/takes")"
lengths=$(for take in "$dir"/takes/*.wav; do "$wav" info "$take" | cut -d' ' -f2; done | sort -u)
for length in $lengths; do [ "$length" -gt 96000 ] || fail "a take of $length frames has nothing of what was before"; done
continuo takes --json | python3 -c 'import json, sys
takes = [json.loads(line) for line in sys.stdin]
ends = {int(take["start_engine_frame"]) + int(take["frames"]) for take in takes}
assert len(takes) == 32 and len(ends) == 1, ends' || fail "the takes do not end on one sample"
# One alone, punched in.
expect "disarm" continuo arm --off
expect_exit 65 "NOTHING_ARMED" continuo record start
expect "arm" continuo arm t05 --pre-record 0s
expect "record one" continuo record start --for 4800f --wait
"$wav" info "$(ls -t "$dir"/takes/t05*.wav | head -1)" | grep -q '^1 4800 48000 ' || fail "not the one track: $(ls -t "$dir/takes" | head -2)"
daemon_stop
exit $failures
