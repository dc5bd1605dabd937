#!/bin/bash
# Metering from the command line against a daemon on the clock device: tones of known level, and what meters, spectrum,
# loudness and why say of them.
. "$(dirname "$0")/../support/daemon.sh"
continuo() { timeout 30 "$CONTINUO_BIN/continuo" "$@"; }
# near PATH VALUE TOLERANCE: of the JSON on $dir/said.
near() { local got; got=$(json "$1" <"$dir/said") || { fail "no $1: $(cat "$dir/said")"; return; }
  awk -v a="$got" -v b="$2" -v t="$3" 'BEGIN { d = a - b; exit !(a != "None" && d <= t && d >= -t) }' || fail "$1 is $got, not $2"; }
is() { local got; got=$(json "$1" <"$dir/said"); [ "$got" = "$2" ] || fail "$1 is '$got', not '$2': $(cat "$dir/said")"; }
# said COMMAND...: what it prints to stdout, on $dir/said.
said() { "$@" >"$dir/said" || fail "'$*' ended with $?"; }

daemon_start
expect "new" continuo session new
# EBU Tech 3341: a sine of 1 kHz at L dBFS in both channels is L LUFS; in one channel it is 3.01 LU less. Of one of 100 Hz the
# K-weighting leaves 1.82 dB less than of one of 1 kHz.
left_lufs=-34.83
expect "both" continuo track add both
expect "both's tone" continuo add both/osc oscillator frequency_hz=997 gain_db=-20 channels=2
expect "left" continuo track add left --no-connect --pan -1
expect "left's tone" continuo add left/osc oscillator frequency_hz=100 gain_db=-30
expect "still" continuo track add still --no-connect
before=$(continuo status --json | json revision.number)

# Every kind, of a moment: a single picture waits until all of it is there.
once() { said continuo meters "$@" --once --for 25s --json; }
once both left --kind peak-hold,vu,ppm-i,ppm-ii,clips,silence,true-peak,momentary,short-term,balance
for kind in peak_hold vu ppm_i ppm_ii true_peak; do
  for channel in 0 1; do near "meters.0.kinds.$kind.$channel" -20 0.1; done
  near "meters.1.kinds.$kind.0" -30 0.1
done
# The filters of a meter that begins amid a low tone settle in its first 400 ms.
for kind in momentary short_term; do near "meters.0.kinds.$kind.0" -20 0.1; near "meters.1.kinds.$kind.0" "$left_lufs" 0.25; done
near meters.0.kinds.balance.0 0 0.001; near meters.1.kinds.balance.0 -1 0.001
near meters.0.kinds.silence.0 0 0; is meters.0.kinds.clips.0 0
near meters.0.peak_db.0 -20 0.1; near meters.0.rms_db.0 -23 0.1
once both --kind correlation
near meters.0.kinds.correlation.0 1 0.001
once still --kind ppm-ii,silence,true-peak,momentary
for kind in ppm_ii true_peak momentary; do near "meters.0.kinds.$kind.0" -150 0; done
awk -v s="$(json meters.0.kinds.silence.1 <"$dir/said")" 'BEGIN { exit !(s >= 0.5) }' || fail "no silence: $(cat "$dir/said")"
# What silence has none of is not waited for in vain: long before the 25 s are over.
once still --kind correlation,balance
is meters.0.kinds.balance.0 None
said continuo meters still --kind correlation --once --json
is meters.0.kinds.correlation.0 None
once both --kind silence --silence -10
awk -v s="$(json meters.0.kinds.silence.0 <"$dir/said")" 'BEGIN { exit !(s >= 0.5) }' || fail "-20 dBFS is above -10"
expect "clips" continuo set both.gain_db=24
# The fader is on its way when the picture begins.
within 20 eval 'continuo meters both --kind clips,true-peak --once --for 25s --json >"$dir/said" && [ "$(json meters.0.kinds.clips.1 <"$dir/said")" -gt 100 ]' ||
  { fail "nothing clips: $(cat "$dir/said")"; }
near meters.0.kinds.true_peak.0 4 0.15
expect "as before" continuo set both.gain_db=0
said continuo meters out --kind vu --kind momentary --for 0.5s
grep -qE $'\tout\t.*\tvu=.*\tmomentary=' "$dir/said" || fail "lines: $(cat "$dir/said")"
"$CONTINUO_BIN/continuo" meters --help | grep -q "short-term" || fail "the help names no kinds"

# What is wrong is named.
expect_exit 64 "there are peak-hold, vu, ppm-i" continuo meters --kind party --once
expect_exit 65 "DUPLICATE_KIND" continuo meters --kind vu,vu --once
expect_exit 65 "decay_db_per_s" continuo meters --kind peak-hold --decay 0 --once
expect_exit 65 "hold_s" continuo meters --kind peak-hold --hold 61 --once
expect_exit 66 "UNKNOWN_NODE" continuo meters nobody --kind vu --once
expect_exit 64 "--kind" continuo meters --kind

# The spectrum: what rings, and how loud
said continuo spectrum both
awk -F '\t' 'NR == 1 { exit !($1 > 996 && $1 < 998 && $2 > -20.2 && $2 < -19.8) }' "$dir/said" || fail "spectrum: $(cat "$dir/said")"
said continuo spectrum left --channel 1 --window blackman-harris --fft-size 65536 --average 0.2 --json
python3 - "$dir/said" <<'END' || fail "spectrum --json"
import json, sys
frame = json.load(open(sys.argv[1]))
level = frame["level_db"]
assert len(level) == 32769, len(level)
loudest = level.index(max(level)) * frame["bin_hz"]
assert abs(loudest - 100) < 1 and abs(max(level) + 30) < 0.9, (loudest, max(level))
assert frame["lost_frames"] == "0"
END
said continuo spectrum still
grep -qx "no tone above -120 dBFS" "$dir/said" || fail "a spectrum of silence: $(cat "$dir/said")"
expect_exit 65 "fft_size" continuo spectrum --fft-size 1000
expect_exit 65 "UNKNOWN_WINDOW" continuo spectrum --window round
expect_exit 65 "channel" continuo spectrum both --channel 3
expect_exit 66 "UNKNOWN_NODE" continuo spectrum nobody
expect_exit 64 "--fft-size" continuo spectrum --fft-size big
[ "$before" = "$(($(continuo status --json | json revision.number) - 2))" ] || fail "to look is an edit"

# Loudness by name
[ -z "$(continuo loudness list)" ] || fail "there is a measurement"
said continuo loudness start
[ ! -s "$dir/said" ] || fail "loudness start says: $(cat "$dir/said")"
said continuo loudness start left --node left --json
is name left; is node left; is lost_frames 0; grep -q 'continuo cli [0-9]' "$dir/said" || fail "no origin"
expect_exit 73 "DUPLICATE_MEASUREMENT" continuo loudness start
expect_exit 66 "UNKNOWN_NODE" continuo loudness start x --node nobody
expect_exit 65 "BAD_NAME" continuo loudness start "no name"
expect_exit 66 "UNKNOWN_MEASUREMENT" continuo loudness reset x
expect_exit 66 "UNKNOWN_MEASUREMENT" continuo loudness stop x
expect_exit 64 "continuo: " continuo loudness
expect_exit 64 "UNKNOWN_COMMAND" continuo loudness begin
# By the time that it tells a range it has heard 3 s.
within 20 eval 'continuo loudness list --json | grep "\"name\":\"left\"" | grep -q range_lu' || fail "no range"
continuo loudness list >"$dir/said"; [ "$(cut -f 1,2 "$dir/said" | tr '\t\n' ' ,')" = "left left,programme out," ] || fail "list: $(cat "$dir/said")"
said continuo loudness reset left --json
near integrated_lufs "$left_lufs" 0.1; near max_true_peak_db -30 0.1; near max_sample_peak_db -30 0.1; near range_lu 0 0.1
continuo loudness list --json >"$dir/both"
python3 - "$dir/both" <<'END' || fail "the reset did not begin anew: $(cat "$dir/both")"
import json, sys
left, programme = (json.loads(line)["seconds"] for line in open(sys.argv[1]))
sys.exit(programme - left < 2.9)
END
said continuo loudness stop --json
is name programme; near integrated_lufs -20 0.1; near max_momentary_lufs -20 0.1; near max_short_term_lufs -20 0.1
near max_true_peak_db -20 0.1; is clipped_samples 0; is lost_frames 0
continuo loudness list --json >"$dir/said"; is name left
expect "its node goes" continuo remove left
within 10 eval '[ -z "$(continuo loudness list)" ]' || fail "a measurement outlives its node"

# Why there is silence
why() { said continuo why "${2:-out}" --json; is reason "$1"; }
why CLOCK_DEVICE
why CLOCK_DEVICE out:1
why NO_CHANNEL out:9
why SOUNDS both
expect "a mute" continuo set both.mute=true
within 10 eval '[ "$(continuo why both --json | json reason)" = MUTED ]' || fail "a mute is not told: $(continuo why both)"
why MUTED
is node both
continuo why >"$dir/said"; grep -q "^both is muted" "$dir/said" && grep -q "^  both  track  silent$" "$dir/said" || fail "why: $(cat "$dir/said")"
# The answer stays in sight however many were looked at.
expect "a crowd" continuo add crowd bus
for n in $(seq 25); do
  expect "one of the crowd" continuo track add "crowd$n" --no-connect
  expect "it belongs to it" continuo connect "crowd$n" crowd
done
steps=$(continuo why crowd --json | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["steps"]))')
continuo why crowd >"$dir/said"
if [ "$steps" -gt 20 ]; then
  [ "$(wc -l <"$dir/said")" -eq 22 ] && grep -qx "  ... and $((steps - 20)) more (--json has them)" "$dir/said" || fail "why of a crowd: $(cat "$dir/said")"
else
  [ "$(wc -l <"$dir/said")" -eq $((steps + 1)) ] || fail "why of a few: $(cat "$dir/said")"
fi
expect_exit 66 "UNKNOWN_NODE" continuo why nobody
expect_exit 64 "out:1 is the first" continuo why out:0

# Tab
# shellcheck source=/dev/null
. "$(dirname "$0")/../../deploy/completion/continuo.bash"
tab() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _continuo 2>/dev/null; printf '%s ' "${COMPREPLY[@]}"; }
# offers WHAT WORD...: at the last word.
offers() { local want=$1 got; shift; got=$(tab continuo "$@"); [ "$got" = "$want " ] || fail "Tab on '$*': '$got', not '$want'"; }
expect "measured" continuo loudness start show
offers "loudness" loud
offers "start stop" loudness st
offers "show" loudness stop s
offers "show" loudness reset ""
offers "both both/osc" loudness start --node b
offers "true-peak" meters --kind tr
offers "vu,ppm-i vu,ppm-ii" meters --kind vu,pp
offers "vu,ppm-ii" meters --kind vu,ppm-ii
offers "both both/osc" meters b
offers "both both/osc" why b
offers "both both/osc" spectrum b
offers "flat-top" spectrum --window f
offers "--loudness --loudness-of --loudness-stems" render --lo
offers "--on-server" render --on
offers "--silence-below --silence-for" measure --si
offers "--offset" compare --off

expect "healthy to the end" continuo health
daemon_stop
exit "$failures"
