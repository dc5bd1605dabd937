#!/bin/bash
# continuo measure: any files, no daemon. A row a file for people, a line a file for scripts, an exit code for each trouble.
. "$(dirname "$0")/../support/daemon.sh"
measure() { timeout 60 continuo measure "$@"; }
cd "$dir/media" || die "no folder"
# tone.wav: 2 s of silence, 6 s of a sine at -23 dBFS in both channels (-23 LUFS, EBU Tech 3341, signal 1), 1 s of silence. Blocks that
# are partly silent count as far as they are above the gates: -23.2 LUFS, and a range.
python3 - <<'END' || die "cannot write audio files"
import math, struct
def wav(name, channels, rate, frames):
    data = b"".join(struct.pack("<h", s) for frame in frames for s in frame)
    with open(name, "wb") as file:
        file.write(b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " +
                   struct.pack("<IHHIIHH", 16, 1, channels, rate, rate * channels * 2, channels * 2, 16) +
                   b"data" + struct.pack("<I", len(data)) + data)
def sine(i, db, hz=1000, rate=48000): return round(32767 * 10 ** (db / 20) * math.sin(2 * math.pi * hz * i / rate))
tone = [(0, 0)] * 96000 + [(sine(i, -23),) * 2 for i in range(6 * 48000)] + [(0, 0)] * 48000
wav("tone.wav", 2, 48000, tone)
wav("loud.wav", 1, 48000, [(max(-32768, min(32767, 2 * sine(i, 0))),) for i in range(48000)])
# Between its samples it is 3 dB higher: fs/4, 45 degrees.
wav("between.wav", 2, 48000, [(round(32767 * min(1, i / 4800, (48000 - i) / 4800) * 0.5 * math.sin(math.pi / 2 * i + math.pi / 4)), 0) for i in range(48000)])
wav("short.wav", 1, 48000, [(0,)] * 4800)
wav("six.wav", 6, 48000, [tuple(sine(i, db) for db in (-28, -28, -24, 0, -30, -30)) for i in range(96000)])
open("text.wav", "w").write("no sound\n" * 100)
END

# near PATH VALUE TOLERANCE: of the JSON line on $dir/said.
near() { local got; got=$(json "$1" <"$dir/said") || { fail "no $1"; return; }
  awk -v a="$got" -v b="$2" -v t="$3" 'BEGIN { d = a - b; exit !(d <= t && d >= -t) }' || fail "$1 is $got, not $2"; }
is() { [ "$(json "$1" <"$dir/said")" = "$2" ] || fail "$1 is not $2: $(cat "$dir/said")"; }

expect "one file" measure tone.wav --json
[ "$(wc -l <"$dir/said")" = 1 ] || fail "not one line: $(cat "$dir/said")"
near integrated_lufs -23.2 0.1; near max_momentary_lufs -23 0.1; near max_short_term_lufs -23 0.1; near range_lu 2.7 0.3
near true_peak_dbtp -23 0.1; near peak_dbfs -23 0.1
is channels 2; is layout stereo; is duration_s 9.0; is frames 432000; is sample_rate_hz 48000; is clipped_samples 0
near leading_silence_s 2 0.001; near trailing_silence_s 1 0.001; near silence_s 3 0.002; is silences 2
expect "silence" measure tone.wav --json --silence-below -20 --silence-for 3
near silence_s 9 0.001; is silences 1
expect "between" measure between.wav --json
near peak_dbfs -9.03 0.05; near true_peak_dbtp -6.02 0.2
expect "loud" measure loud.wav --json
near peak_dbfs 0 0.01; [ "$(json clipped_runs <"$dir/said")" -ge 1900 ] || fail "runs: $(cat "$dir/said")"
expect "short" measure short.wav --json
is peak_dbfs -150.0; json integrated_lufs <"$dir/said" >/dev/null 2>&1 && fail "100 ms have a loudness"
expect "six channels" measure six.wav --json
is layout 5.1; near integrated_lufs -23 0.1; near true_peak_dbtp 0 0.1
expect "as they are" measure six.wav --json --channels all
near integrated_lufs -2.96 0.1
expect "factors" measure six.wav --json --channels 1,1,1,0,1.41,1.41
near integrated_lufs -23 0.1

# Several: a row each, under one heading; the others are measured, whatever is wrong with one.
expect "a table" measure tone.wav loud.wav between.wav
[ "$(wc -l <"$dir/said")" = 5 ] || fail "two lines of heading and three rows: $(cat "$dir/said")"
grep -qE '^ +0:09\.0 +2 +-2[23]\.[0-9] .* tone\.wav$' "$dir/said" || fail "tone.wav's row: $(cat "$dir/said")"
expect_exit 66 "nothere.wav" measure tone.wav nothere.wav loud.wav
grep -q 'loud.wav$' "$dir/said" || fail "what follows a missing file is not measured"
measure tone.wav nothere.wav loud.wav --json >"$dir/said" 2>/dev/null; [ $? = 66 ] || fail "its exit code in JSON"
[ "$(sed -n 2p "$dir/said" | json error.exit_code) $(sed -n 2p "$dir/said" | json file)" = "66 nothere.wav" ] || fail "its line: $(cat "$dir/said")"
[ "$(wc -l <"$dir/said")" = 3 ] || fail "a line each: $(cat "$dir/said")"
expect_exit 65 "NOT_AUDIO" measure text.wav
expect_exit 65 "LAYOUT" measure tone.wav --channels 5.1
expect_exit 64 "FILE" measure
for value in nan -nan inf -inf; do
  for option in --silence-for --silence-below; do expect_exit 64 "$option" measure tone.wav $option=$value; done
  expect_exit 65 "LAYOUT" measure tone.wav --channels "1,$value"
done
measure tone.wav >/dev/full 2>"$dir/said"; [ $? = 74 ] || fail "a full output is exit 74"

# The loudness of a render is that of its file.
echo '{"format": 1, "nodes": [{"id": "a", "type": "track", "children": [{"id": "p", "type": "player", "params": {"file": "tone.wav"}}]}], "connections": [{"from": "a", "to": "out"}]}' >one.json
expect "render" timeout 60 continuo render one.json -o out.wav --loudness --json
near loudness.integrated_lufs -23.2 0.1; near loudness.true_peak_dbtp -23 0.1; near loudness.range_lu 2.7 0.3
expect "in words" timeout 60 continuo render one.json -o out.wav --force --loudness
grep -q -- '-23.2 LUFS, range 2.7 LU, true peak -23.0 dBTP' "$dir/said" || fail "in words: $(cat "$dir/said")"
expect "without" timeout 60 continuo render one.json -o out.wav --force --json
json loudness <"$dir/said" >/dev/null 2>&1 && fail "a loudness that nobody asked for"
json stems <"$dir/said" >/dev/null 2>&1 && fail "stems that nobody asked for"

# Part by part: a is 6 dB below its file, b is silent, and both are what the bus has.
cat >parts.json <<'END'
{"format": 1, "nodes": [
  {"id": "a", "type": "track", "params": {"gain_db": -6}, "children": [{"id": "p", "type": "player", "params": {"file": "tone.wav"}}]},
  {"id": "b", "type": "track", "params": {"mute": true}, "children": [{"id": "p", "type": "player", "params": {"file": "tone.wav"}}]},
  {"id": "sum", "type": "bus"}],
 "connections": [{"from": "a", "to": "sum"}, {"from": "b", "to": "sum"}, {"from": "sum", "to": "out"}]}
END
parts() { timeout 60 continuo render parts.json -o out.wav --force "$@"; }
expect "stems" parts --loudness-stems --json
near loudness.integrated_lufs -29.2 0.1
is stems.0.node a; is stems.1.node b; is stems.2.node sum; json stems.3 <"$dir/said" >/dev/null 2>&1 && fail "more than two tracks and a bus"
near stems.0.integrated_lufs -29.2 0.1; near stems.0.true_peak_dbtp -29 0.1; near stems.0.range_lu 2.7 0.3
near stems.2.integrated_lufs -29.2 0.1; is stems.1.true_peak_dbtp -150.0; is stems.0.channels 2
json stems.1.integrated_lufs <"$dir/said" >/dev/null 2>&1 && fail "a muted track has a loudness"
bare=$(parts --json | json sha256)
for how in "--threads 3 --block 333" "--block 64" "--verify"; do
  expect "stems $how" parts --loudness-stems --loudness-of a/p --json $how
  near stems.0.integrated_lufs -29.2 0.1; is stems.1.node a/p; near stems.1.integrated_lufs -23.2 0.1
  is sha256 "$bare"
done
expect "stems in words" parts --loudness-of b --loudness-of a
sed -n 2p "$dir/said" | grep -q -- '^  a: -29.2 LUFS, range 2.7 LU, true peak -29.0 dBTP$' || fail "a in words: $(cat "$dir/said")"
sed -n 3p "$dir/said" | grep -q -- '^  b: too short or too quiet for a loudness' || fail "b in words: $(cat "$dir/said")"
rm out.wav
expect_exit 66 'no node "drums" in the session' timeout 60 continuo render parts.json -o out.wav --loudness-of a --loudness-of drums
expect_exit 65 "NO_SOUND" timeout 60 continuo render parts.json -o out.wav --loudness-of in
[ -e out.wav ] && fail "a render in spite of a wrong stem"
exit $failures
