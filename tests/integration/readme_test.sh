#!/bin/bash
# What the README tells a newcomer to type works as it stands there: every line of the tour, and the smallest session.
. "$(dirname "$0")/../support/daemon.sh"
readme=$(dirname "$(dirname "$CONTINUO_SUPPORT")")/README.md
# lines SECTION: the indented lines of one section.
lines() { awk -v want="## $1" '/^## / { on = $0 == want } on && /^    / { print substr($0, 5) }' "$readme"; }

export HOME=$dir/home
mkdir -p "$HOME/Music"
"$CONTINUO_SUPPORT/wav.py" make "$HOME/Music/song.flac" 2 480000 || die "cannot write the song"
daemon_start --device clock --media-root "home=$HOME"
cd "$HOME" || exit 1

lines "Five minutes by hand" >"$dir/tour"
count=0
while read -r line; do
  case $line in
    "continuo meters" | "continuo watch" | "continuo events "*" -f") line="timeout 2 $line; [ \$? -eq 124 ]" ;;  # until Ctrl-C
    "continuod "*) line="$line --config $dir/continuod.toml --check-config" ;;
    "continuo "*) ;;
    *) continue ;;
  esac
  count=$((count + 1))
  bash -c "$line" >"$dir/said" 2>&1 </dev/null || { fail "README: $line"; cat "$dir/said"; }
done <"$dir/tour"
echo "$count lines of the tour"
[ $count -ge 27 ] || fail "only $count lines of the tour were found"

# With the tour's session, and nothing in the way that does not end by itself.
lines "Metering" >"$dir/metering"
count=0
while read -r line; do
  [[ $line != "continuo meters  "* ]] || line="timeout 2 continuo meters; [ \$? -eq 124 ]"
  count=$((count + 1))
  bash -c "$line" >"$dir/said" 2>&1 </dev/null || { fail "README: $line"; cat "$dir/said"; }
done <"$dir/metering"
[ $count -ge 8 ] || fail "only $count lines of Metering were found"

"$CONTINUO_SUPPORT/wav.py" info tour.wav >"$dir/said" || fail "$(cat "$dir/said")"
grep -q '^2 480000 48000 ' "$dir/said" || fail "the tour's render is not 10 s of stereo: $(cat "$dir/said")"
take=$(continuo takes --json | json file)
"$CONTINUO_SUPPORT/wav.py" info "$dir/takes/${take#takes:}" | grep -q '^2 480000 48000 ' || fail "the tour's take is not 10 s of stereo"

cp "$HOME/Music/song.flac" song.wav
lines "The smallest session file" >smallest.json
expect "the smallest session" continuo session check smallest.json
expect "loads" continuo session load smallest.json
expect "renders" continuo render smallest.json -o smallest.wav
"$CONTINUO_SUPPORT/wav.py" same song.wav smallest.wav || fail "the smallest session does not sound as its file"
lines "A cue" >cue.json
expect "the cue is added" continuo cue add opening cue.json
expect "and fired" continuo go opening
continuo get song.gain_db | grep -q -- '-6' || fail "the README's cue did not set the gain"
expect "stops" continuo stop
for code in 0 1 64 65 66 69 70 73 74 75 77 78; do
  grep -qE "^\| $code \||\| $code \|" "$readme" || fail "README: exit code $code is not told"
done
# Every file and folder that the README names is there.
grep -oE '`(rt|server|clients|proto|deploy|tests)/[a-z0-9_/.]+`' "$readme" | tr -d '`' | sort -u | while read -r name; do
  at=$(dirname "$readme")/$name
  [ -e "$at" ] || [ -e "$at.hpp" ] || [ "$name" = server/media/x.cpp ] || [ "$name" = tests/server/media/x_test.cpp ] || echo "$name"
done >"$dir/missing"
[ ! -s "$dir/missing" ] || fail "README names what is not there: $(tr '\n' ' ' <"$dir/missing")"
daemon_stop
exit $failures
