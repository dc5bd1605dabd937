#!/bin/bash
# The sound server is killed, or frozen, while a take runs; then SIGTERM: the daemon is out within 5 s, with exit code 0,
# and the take is a sound file of the length that was recorded.
. "$(dirname "$0")/../support/daemon.sh"
if [ "${1:-}" = inside ]; then
  "$CONTINUO_SUPPORT/wav.py" make "$dir/media/noise.wav" 2 1440000 || die "cannot write the noise"
  daemon_start --device system --host-api JACK
  expect "track" continuo track add a --file "$dir/media/noise.wav"
  expect "play and record" continuo record start out --file takes:take.wav --play
  within 10 sh -c '[ "$(continuo takes --json | sed -nE "s/.*\"frames\":\"?([0-9]+).*/\1/p")" -ge 24000 ]' || die "the take does not grow"
  kill -"$2" "$JACKD_PID"
  [ "$3" = at_once ] || within 10 sh -c 'continuo status --json | grep -qvE "STATE_HEALTHY"' || fail "$2: nobody noticed"
  daemon_stop 5
  read -r channels frames _ peak < <("$CONTINUO_SUPPORT/wav.py" info "$dir/takes/take.wav") || die "the take is no sound file"
  echo "$2 $3: the take has $channels channels, $frames frames, peak $peak"
  [ "$frames" -ge 24000 ] || fail "only $frames frames are in the take"
  awk -v p="$peak" 'BEGIN { exit !(p > 0.01) }' || fail "the take is silent"
  exit $failures
fi
for signal in KILL STOP; do
  for when in at_once later; do
    "$CONTINUO_SUPPORT/with_jackd.sh" -p 256 -- "$0" inside $signal $when || fail "$signal $when"
  done
done
exit $failures
