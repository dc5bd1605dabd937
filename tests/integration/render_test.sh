#!/bin/bash
# The program continuo-render: renders, checks, compares; every error has its exit code and leaves no file.
. "$(dirname "$0")/../support/daemon.sh"
render() { timeout 60 continuo-render "$@"; }
wav() { "$CONTINUO_SUPPORT/wav.py" "$@"; }
cd "$dir/media" || die "no folder"
mkdir songs
wav make songs/a.wav 2 24000 && wav make songs/b.wav 1 22050 44100 || die "cannot write audio files"
cat >tour.json <<'END'
{"format": 1, "sample_rate_hz": 48000,
 "nodes": [{"id": "a", "type": "track", "children": [{"id": "p", "type": "player", "params": {"file": "songs/a.wav"}}]},
           {"id": "b", "type": "track", "params": {"gain_db": -6}, "children": [{"id": "p", "type": "player", "params": {"file": "music:b.wav", "start_s": 0.25}}]}],
 "connections": [{"from": "a", "to": "out"}, {"from": "b", "to": "out"}]}
END
echo '{"format": 1, "nodes": [{"id": "a", "type": "track", "children": [{"id": "p", "type": "player", "params": {"file": "songs/a.wav"}}]}], "connections": [{"from": "a", "to": "out"}]}' >one.json
roots=(--media-root music=songs)
nothing_left() { [ -z "$(find . -name 'out*.wav' -o -name '*.part')" ] || { fail "$1 left $(find . -name 'out*.wav' -o -name '*.part')"; rm -f out*.wav ./*.part; }; }

# A render of one file at unity is that file.
expect "one" render one.json -o out.wav
wav same out.wav songs/a.wav || fail "a track at unity is not its file"
expect "compare" render compare out.wav songs/a.wav
grep -q identical "$dir/said" || fail "compare does not say identical"
expect_exit 73 "FILE_EXISTS" render one.json -o out.wav
expect "force" render one.json -o out.wav --force --bits 16 --dither none
cmp <(tail -c 96000 out.wav) <(tail -c 96000 songs/a.wav) || fail "16 bits there and back are not the same bytes"
rm out.wav

# The whole, its parts, its rates, in blocks of any size
render tour.json -o out.wav "${roots[@]}" --json >"$dir/said" || { fail "tour"; cat "$dir/said"; }
[ "$(json frames <"$dir/said") $(json sample_rate_hz <"$dir/said") $(json channels <"$dir/said")" = "36000 48000 2" ] || { fail "its JSON"; cat "$dir/said"; }
json peak_db <"$dir/said" | grep -qE '^-?[0-9.]+$' || fail "no peak"
for block in 17 64 65 512 1000; do
  expect "block $block" render tour.json -o out2.wav --media-root music="$PWD/songs" --block $block --force
  expect "the same in blocks of $block" render compare out.wav out2.wav
done
expect "from and for" render tour.json -o out2.wav "${roots[@]}" --force --from 0:00.25 --for 1000f
[ "$(wav info out2.wav | cut -d' ' -f2)" = 1000 ] || fail "--for"
expect "from and to" render tour.json -o out2.wav "${roots[@]}" --force --from 250ms --to 24000f --rate 96000
[ "$(wav info out2.wav | cut -d' ' -f2,3)" = "24000 96000" ] || fail "--to at another rate"
expect_exit 1 "different" render compare out.wav out2.wav
rm out.wav out2.wav

# Formats by their ending: one digest, whatever holds the samples
for bits in 16 24 32f; do
  digests=
  for ending in wav w64 aiff flac; do
    [ $bits$ending = 32fflac ] && continue
    render tour.json -o "out.$ending" "${roots[@]}" --bits $bits --json >"$dir/said" || { fail "$bits bits in .$ending"; cat "$dir/said"; }
    digests="$digests $(json sha256 <"$dir/said")"
    expect "compare .$ending" bash -c "timeout 60 continuo-render compare out.$ending out.wav"
  done
  [ "$(tr ' ' '\n' <<<"$digests" | sed /^$/d | sort -u | wc -l)" = 1 ] || fail "$bits bits: the digests differ:$digests"
  [ "$(tail -c $((36000 * 2 * (${bits%f} / 8))) out.wav | sha256sum | cut -d' ' -f1)" = "${digests##* }" ] || fail "$bits bits: the digest is not that of the samples"
  rm -f out.*
done
expect "24 bits of FLAC" render tour.json -o out.flac "${roots[@]}"
render one.json -o out.wav --bits 16 >/dev/null
cmp -s <(tail -c 96000 out.wav) <(tail -c 96000 songs/a.wav) && fail "16 bits are not dithered"
rm out.wav out.flac

# Into a pipe: nothing else on standard output, an exact header where the length is known
render tour.json "${roots[@]}" -o out.wav >/dev/null
render tour.json "${roots[@]}" -o - --json 2>"$dir/said" >piped.wav || fail "a pipe"
cmp out.wav piped.wav || fail "the pipe is not the file"
[ "$(json file <"$dir/said")" = - ] || { fail "the pipe's JSON"; cat "$dir/said"; }
render one.json -o - --tail auto 2>/dev/null | head -c 48 | od -An -tx1 -j4 -N4 | grep -q "ff ff ff ff" || fail "a stream of unknown length"
render tour.json "${roots[@]}" -o - --for 400000s 2>"$dir/said" | head -c 100 >/dev/null
[ "${PIPESTATUS[0]}" = 74 ] || { fail "a reader that has gone"; cat "$dir/said"; }
for words in "--bogus" "--from 5" "--set a.gain_db=99"; do
  # shellcheck disable=SC2086
  render tour.json "${roots[@]}" -o - --json $words >piped.wav 2>"$dir/said" && fail "an error is none: $words"
  [ ! -s piped.wav ] && head -n 1 "$dir/said" | json error.reason >/dev/null || { fail "an error goes to standard output: $words"; cat piped.wav; }
done
rm out.wav piped.wav

# A template: other values, other media, other inputs
expect "set" render tour.json "${roots[@]}" -o out.wav --set a.gain_db=-150 --set b.gain_db=-150
[ "$(wav info out.wav | cut -d' ' -f4)" = 0.0 ] || fail "--set: not silent: $(wav info out.wav)"
rm out.wav
mkdir other && cp songs/a.wav other/x.wav
sed 's#songs/a.wav#voice#' one.json >template.json
expect_exit 66 "voice" render template.json -o out.wav
expect "media" env -C other continuo-render ../template.json -o ../out.wav --media voice=x.wav
wav same out.wav songs/a.wav || fail "--media"
expect "input" render template.json -o out.wav --input a/p=other/x.wav --force --verify
wav same out.wav songs/a.wav || fail "--input"
echo '{"format": 1, "nodes": [{"id": "a", "type": "track"}], "connections": [{"from": "in", "to": "a"}, {"from": "a", "to": "out"}]}' >chain.json
expect "the device's inputs" render chain.json -o out.wav --input in=other/x.wav --force
wav same out.wav songs/a.wav || fail "--input in="
expect "check with media" render --check template.json --media voice=other/x.wav
rm out.wav
expect_exit 65 "a.gain_db" render one.json -o out.wav --set a.gain_db=99
expect_exit 65 "a.loudness" render one.json -o out.wav --set a.loudness=1
expect_exit 65 "BAD_ASSIGNMENT" render one.json -o out.wav --set a
expect_exit 66 "UNKNOWN_NODE" render one.json -o out.wav --set c.gain_db=1
expect_exit 66 "UNKNOWN_MEDIA" render one.json -o out.wav --media none=other/x.wav
expect_exit 66 "none.wav" render one.json -o out.wav --media songs/a.wav=none.wav
expect_exit 65 "NOT_A_PLAYER" render one.json -o out.wav --input a=other/x.wav

# Tails, threads, a second render
expect "tail" render one.json -o out.wav --tail 250ms
[ "$(wav info out.wav | cut -d' ' -f2)" = 36000 ] || fail "--tail 250ms: $(wav info out.wav)"
expect "tail auto" render one.json -o out.wav --tail auto --to 1000f --force
[ "$(wav info out.wav | cut -d' ' -f2)" = 24000 ] || fail "--tail auto: $(wav info out.wav)"
render tour.json "${roots[@]}" -o out.wav --force --threads 3 --verify --progress --json >"$dir/said" 2>"$dir/progress" || { fail "verify"; cat "$dir/said"; }
[ "$(json verified <"$dir/said")" = true ] || { fail "verified is not said"; cat "$dir/said"; }
[ "$(wc -l <"$dir/said")" = 1 ] || fail "--json is more than a line"
for key in wall_s cpu_s times_real_time peak; do json $key <"$dir/said" | grep -qE '^[0-9.e-]+$' || fail "no $key in the JSON"; done
grep -q "100 %" "$dir/progress" && ! grep -q $'\r' "$dir/progress" || { fail "progress off a terminal"; cat "$dir/progress"; }
rm out.wav

expect_exit 64 '"99999:00:00" is too long' render one.json -o out.wav --to 99999:00:00
# A tail that never ends is cut, and that is among the warnings
sed 's/"format": 1,/"format": 1, "sample_rate_hz": 8000,/; s/"nodes": \[/&{"id": "hum", "type": "track", "children": [{"id": "o", "type": "oscillator"}]}, /; s/"connections": \[/&{"from": "hum", "to": "out"}, /' one.json >hum.json
cut="the tail had not faded away after 60 s and was cut"
expect "a tail that is cut" render hum.json -o out.wav --tail auto
[ "$(grep -cF "continuo-render: $cut" "$dir/said")" = 1 ] || { fail "a cut tail in words"; cat "$dir/said"; }
render hum.json -o out.wav --tail auto --force --json >"$dir/said" 2>/dev/null
[ "$(json warnings.0 <"$dir/said")" = "$cut" ] || { fail "a cut tail in JSON"; cat "$dir/said"; }
rm out.wav

# Elsewhere: media are found from the session's folder, not from ours
(cd / && timeout 60 continuo-render "$dir/media/one.json" -o "$dir/media/out.wav" >"$dir/said" 2>&1) || { fail "from another folder"; cat "$dir/said"; }
wav same out.wav songs/a.wav || fail "from another folder"
rm out.wav

# Checks
expect "check" render --check tour.json "${roots[@]}"
expect "check without its root" render --check tour.json
grep -q "UNKNOWN_ROOT" "$dir/said" || fail "the check does not name the unknown root"
sed 's#songs/a.wav#songs/none.wav#' tour.json >missing.json
expect_exit 66 "songs/none.wav" render --check missing.json "${roots[@]}"
render --check missing.json "${roots[@]}" --json >"$dir/said"
[ "$(json missing.0.node <"$dir/said")" = a/p ] || { fail "the check's JSON"; cat "$dir/said"; }

# One that begins later: by a latency, say
expect "a later start" render one.json -o out.wav --set a/p.start_s=0.00625
expect_exit 1 "different" render compare songs/a.wav out.wav
expect_exit 0 "identical" render compare songs/a.wav out.wav --offset 300
expect_exit 0 "identical" render compare out.wav songs/a.wav --offset -300
expect_exit 0 "out.wav begins 300 frames later" render compare songs/a.wav out.wav --offset auto
expect_exit 1 "different" render compare songs/a.wav out.wav --offset=299
rm out.wav

# A file that is cut off is rendered as far as it goes, and said
wav make songs/whole.wav 1 24000 && head -c 20000 songs/whole.wav >songs/short.wav
sed 's#songs/a.wav#songs/short.wav#' one.json >short.json
expect "cut off" render short.json -o out.wav
grep -qE "songs/short.wav is cut off: [0-9]+ of 24000 frames" "$dir/said" || { fail "a file that is cut off is not named"; cat "$dir/said"; }
render short.json -o out.wav --force --json >"$dir/said" 2>/dev/null
json warnings.0 <"$dir/said" | grep -q "is cut off" || { fail "the JSON does not name it"; cat "$dir/said"; }
render --check short.json --json >"$dir/said"
json warnings.0 <"$dir/said" | grep -q "is cut off" || { fail "the check's JSON does not name it"; cat "$dir/said"; }
expect "check a file that is cut off" render --check short.json
grep -q "is cut off" "$dir/said" || { fail "the check does not name it"; cat "$dir/said"; }
rm out.wav

# Errors
head -c 200 tour.json >cut.json
sed 's/"format": 1/"format": 99/' tour.json >newer.json
sed 's/"type": "track"/"type": "track", "surprise": 1/' tour.json >unknown.json
sed 's/-6/-600/' tour.json >range.json
echo "no sound" >songs/text.wav
sed 's#songs/a.wav#songs/text.wav#' tour.json >text.json
sed 's#songs/a.wav#../takes/x.wav#' tour.json >outside.json
expect_exit 66 "none.json" render none.json -o out.wav
expect_exit 66 "songs/none.wav" render missing.json -o out.wav "${roots[@]}"
expect_exit 66 "music" render tour.json -o out.wav
expect_exit 65 "NOT_AUDIO" render text.json -o out.wav "${roots[@]}"
expect_exit 77 "OUTSIDE_ROOT" render outside.json -o out.wav "${roots[@]}"
expect_exit 65 "cut.json" render cut.json -o out.wav "${roots[@]}"
expect_exit 65 "99" render newer.json -o out.wav "${roots[@]}"
expect_exit 65 "surprise" render unknown.json -o out.wav "${roots[@]}"
expect_exit 65 "gain_db" render range.json -o out.wav "${roots[@]}"
expect_exit 65 "EMPTY_RANGE" render tour.json -o out.wav "${roots[@]}" --from 5s
expect_exit 65 "rate" render tour.json -o out.wav "${roots[@]}" --rate 100
expect_exit 65 "rate" render tour.json -o out.wav "${roots[@]}" --rate 0
expect_exit 73 "FOLDER_NOT_FOUND" render one.json -o none/out.wav
ln -s songs/a.wav link.wav
expect_exit 73 "OUTPUT_IS_INPUT" render one.json -o link.wav --force
expect_exit 73 "songs/a.wav" render one.json -o songs/a.wav --force
rm link.wav
expect_exit 66 "none.wav" render compare none.wav songs/a.wav
expect_exit 65 "NOT_AUDIO" render compare songs/text.wav songs/a.wav
for words in "" "one.json" "one.json -o out.mp3" "one.json -o out.flac --bits 32f" "one.json -o out.wav --from 5" "one.json -o out.wav --to 1:75" "one.json -o out.wav --bits 8" \
  "one.json -o out.wav --block 0" "one.json -o out.wav --media-root music" "one.json -o out.wav --media-root a:b=songs" "one.json -o out.wav --bogus" \
  "one.json -o out.wav --threads 0" "one.json -o out.wav --threads 65" "one.json -o out.wav --tail 5" "one.json -o out.wav --to auto" \
  "compare songs/a.wav songs/a.wav --offset soon" "compare songs/a.wav songs/a.wav --offset 1.5" "one.json -o out.wav --dither flat" "one.json -o out.wav --to 1s --for 1s" "compare songs/a.wav" "one.json two.json -o out.wav" "one.json -o out.wav --rate nan" "one.json -o out.wav --rate=-nan" "one.json -o out.wav --rate inf"; do
  # shellcheck disable=SC2086
  expect_exit 64 "continuo-render: " render $words
done
render none.json -o out.wav --json >"$dir/said" 2>/dev/null
[ "$(json error.exit_code <"$dir/said")" = 66 ] || fail "an error in JSON"
expect_exit 74 "out.wav" bash -c 'ulimit -f 8; exec timeout 60 continuo-render one.json -o out.wav'
expect_exit 74 "cannot write the output" bash -c "continuo-render compare songs/a.wav songs/a.wav >/dev/full"
nothing_left "an error"

# A disk that is really full, where we may make one
if mkdir small && mount -t tmpfs -o size=64k none small 2>/dev/null; then
  expect_exit 74 "No space left" render one.json -o small/out.wav
  [ -z "$(ls small)" ] || fail "a full disk keeps $(ls small)"
  umount small
else
  echo "no right to mount a small disk: the file-size limit above stands for it"
fi

# For a program that runs it: into a file that is its own, with lines to read; missing media are silent.
echo '{"format": 1, "sample_rate_hz": 48000, "nodes": [{"id": "a", "type": "track", "children": [{"id": "p", "type": "player", "params": {"file": "a.wav"}}]}, {"id": "b", "type": "track", "children": [{"id": "p", "type": "player", "params": {"file": "gone.wav"}}]}], "connections": [{"from": "a", "to": "out"}, {"from": "b", "to": "out"}]}' >given.json
render /proc/self/fd/0 --base music: "${roots[@]}" --silent-missing --output-fd 5 -o called.wav --progress-json --json <given.json 5>out.given >"$dir/said" || { fail "into a descriptor"; cat "$dir/said"; }
[ ! -e called.wav ] && wav same out.given songs/a.wav || fail "a descriptor's file is not the sound"
head -n 1 "$dir/said" | json progress >/dev/null || fail "no progress"
tail -n 1 "$dir/said" | json warnings.0 | grep -qF gone.wav || { fail "no warning"; cat "$dir/said"; }
expect_exit 66 "gone.wav" bash -c 'timeout 60 continuo-render given.json --base music: --media-root music=songs -o out.wav'
expect_exit 65 "NO_BASE" bash -c 'timeout 60 continuo-render given.json --base none --media-root music=songs -o out.wav'
expect_exit 64 "--base" render given.json --base music -o out.wav
expect_exit 75 "cancelled" bash -c 'timeout 60 continuo-render one.json --for 500000s -o out.wav --progress-json | head -n 1 >/dev/null; exit "${PIPESTATUS[0]}"'
rm out.given
nothing_left "a program"

# Interrupted, it ends soon and leaves nothing
timeout 60 continuo-render one.json -o out.wav --for 500000s >"$dir/said" 2>&1 &
pid=$!
within 10 sh -c 'ls ./*.part' || fail "it does not begin"
pkill -INT -P $pid
wait $pid; [ $? -eq 75 ] || { fail "interrupted, it did not end with 75"; cat "$dir/said"; }
nothing_left "an interrupted render"
expect "version" render --version
expect "help" render --help
exit $failures
