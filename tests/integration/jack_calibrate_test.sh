#!/bin/bash
# On a private jackd whose outputs feed its inputs: calibrate finds its loop to the sample, keeps it over a restart, refuses while takes
# run and where there is no loop; and a take of an input says where it belongs.
. "$(dirname "$0")/../support/daemon.sh"
if [ "${1:-}" != inside ]; then
  exec "$CONTINUO_SUPPORT/with_jackd.sh" -S -p 256 -c 8 -- "$0" inside
fi
wav=$CONTINUO_SUPPORT/wav.py
"$wav" make "$dir/media/noise.wav" 8 96000 || die "cannot write the noise"
daemon_start --device loopback --host-api JACK
expect_exit 66 "NO_CHANNEL" continuo calibrate out:9 in:1
expect_exit 64 "BAD_CHANNEL" continuo calibrate out:0 in:1
expect_exit 65 "NO_LOOPBACK" continuo calibrate out:2 in:3
continuo calibrate out:2 in:2 --json >"$dir/said" || die "calibrate: $(cat "$dir/said")"
frames=$(json calibration.round_trip_frames <"$dir/said")
echo "$frames frames out and in again, the driver says $(json calibration.reported_frames <"$dir/said")"
# framesPerBuffer unspecified: one period of the server.
awk -v f="$frames" 'BEGIN { exit !(f > 255.95 && f < 256.05) }' || fail "one period is 256 frames, calibrate says $frames"
daemon_stop
daemon_start --device loopback --host-api JACK
[ "$(continuo status --json | json device.calibrated)" = true ] || fail "the restart has forgotten it"
expect "track" continuo track add all --file "$dir/media/noise.wav"
expect "a take" continuo record start in --file takes:in.wav --for 97000f --play --wait
continuo takes --json >"$dir/said"
reference=$(python3 -c 'import json, sys
print(json.loads(open(sys.argv[1]).readline()).get("time_reference", "none"))' "$dir/said")
[ "$reference" = -256 ] || fail "the take says that it begins at $reference, and not 256 frames before the timeline"
expect "a long take" continuo record start in
expect_exit 65 "TAKES_RUN" continuo calibrate out:1 in:1
expect "stop" continuo record stop
expect "forget" continuo calibrate --forget
continuo status --json | json device.calibrated 2>/dev/null | grep -q true && fail "it is not forgotten"
daemon_stop
exit $failures
