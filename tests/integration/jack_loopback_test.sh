#!/bin/bash
# On a private jackd whose outputs feed its inputs: a file of 8 channels comes back sample by sample on every channel, all
# of them late by the same lag, and what `out` was is the file itself.
. "$(dirname "$0")/../support/daemon.sh"
if [ "${1:-}" != inside ]; then
  exec "$CONTINUO_SUPPORT/with_jackd.sh" -S -p 256 -c 8 -- "$0" inside
fi
wav=$CONTINUO_SUPPORT/wav.py
frames=96000
"$wav" make "$dir/media/noise.wav" 8 $frames || die "cannot write the noise"
daemon_start --device loopback --host-api JACK
continuo status --json >"$dir/status"
for side in in out; do
  [ "$(json "device.${side}_channels" <"$dir/status")" = 8 ] || die "the device has not 8 channels $side: $(cat "$dir/status")"
done

expect "track" continuo track add all --file "$dir/media/noise.wav"
# One take of each in one transaction, which starts the timeline as well.
cat >"$dir/go.json" <<'JSON'
{"operations": [
  {"record_start": {"nodes": ["out"], "file": "takes:out.wav", "frames": "96000"}},
  {"record_start": {"nodes": ["in"], "file": "takes:in.wav", "frames": "97000"}},
  {"play": {}}]}
JSON
expect "play and record" continuo edit "$dir/go.json"
within 15 sh -c 'continuo takes --json | grep -c "\"recording\":false" | grep -qx 2' || die "the takes do not end: $(continuo takes)"
"$wav" same "$dir/media/noise.wav" "$dir/takes/out.wav" || fail "what went out is not the file"
lag=$("$wav" lag "$dir/media/noise.wav" "$dir/takes/in.wav") || fail "what came in is not what went out: $lag"
echo "8 channels came back after $lag frames"
# framesPerBuffer unspecified: one period of the server, see status for what the device says.
[ "$lag" = 256 ] || fail "the lag is $lag frames, one period is 256"
[ "$(json counters.lost_record_frames <<<"$(continuo status --json)")" = 0 ] || fail "frames were lost"
daemon_stop
exit $failures
