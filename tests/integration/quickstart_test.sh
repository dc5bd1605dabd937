#!/bin/bash
# The first thing that a newcomer runs: it ends with 0, names files that are there, sound and alike, and leaves neither a
# daemon nor a change in the checkout. Also with a file of another rate, with bad files, and on Ctrl-C.
set -u
export LC_ALL=C
here=$(dirname "$(readlink -f "$0")")
wav=$here/../support/wav.py
quickstart=$here/../../deploy/quickstart
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
export TMPDIR=$dir/tmp
mkdir "$TMPDIR"
failed=0
fail() { echo "FAIL: $*"; failed=1; }
state() { git -C "$here" status --porcelain 2>/dev/null || echo "no git here"; }
before=$(state)

# quick WANTED_CODE ARGUMENTS...
quick() {
  local want=$1 code; shift
  "$quickstart" --bin "$CONTINUO_BIN" "$@" >"$dir/said" 2>&1; code=$?
  [ $code -eq "$want" ] || { fail "quickstart $* ended with $code, not $want"; tail -n 20 "$dir/said"; }
  grep -q . < <(ls "$TMPDIR") && fail "quickstart $* left $(ls "$TMPDIR")"
  pgrep -f "continuod --config $TMPDIR" >/dev/null && fail "quickstart $* left a daemon"
}
# alike FRAMES: the last two lines name take and render.
alike() {
  local take render
  take=$(tail -n 2 "$dir/said" | head -n 1) render=$(tail -n 1 "$dir/said")
  "$wav" same "$take" "$render" || fail "$take and $render differ"
  read -r channels frames _ peak < <("$wav" info "$take")
  [ "$channels" = 2 ] && [ "$frames" = "$1" ] || fail "$channels channels and $frames frames, not 2 and $1"
  awk -v p="$peak" 'BEGIN { exit !(p > 0.01) }' || fail "the take is silent"
}

quick 0
alike 384000
grep -qi 'clock device' "$dir/said" || aplay -l 2>/dev/null | grep -q '^card' || fail "it does not say that there is no sound card"
grep -qE '^0:0[2-6]\.' "$dir/said" || fail "it shows no position"

"$wav" make "$dir/44 100 Hz, \"odd\" name.wav" 1 132300 44100
quick 0 "$dir/44 100 Hz, \"odd\" name.wav"
alike 144000

quick 66 "$dir/missing.wav"
echo "no sound" >"$dir/text.wav"
quick 65 "$dir/text.wav"
grep -q 'text.wav' "$dir/said" || fail "the error does not name the file"
quick 64 one two

# A build that nobody sees says how far it is.
mkdir "$dir/fake"
printf '#!/bin/bash\necho "[3/9] a step"\nsleep 3\nexit 1\n' >"$dir/fake/cmake"
chmod +x "$dir/fake/cmake"
PATH=$dir/fake:$PATH QUICKSTART_TICK_S=1 "$quickstart" >"$dir/said" 2>&1; code=$?
[ $code -eq 70 ] || { fail "a build that fails ended with $code"; cat "$dir/said"; }
grep -q '^building \[3/9\], [0-9]* s$' "$dir/said" || { fail "it is silent while it builds"; cat "$dir/said"; }

# Ctrl-C while it plays: the signal goes to the foreground group, so a group of its own.
for signal in INT TERM; do
  setsid env --default-signal=INT "$quickstart" --bin "$CONTINUO_BIN" >"$dir/said" 2>&1 &
  for _ in {1..200}; do grep -q '^0:01' "$dir/said" && break; sleep 0.1; done
  daemon=$(pgrep -f "continuod --config $TMPDIR")
  [ -n "$daemon" ] || { fail "no daemon to be seen"; cat "$dir/said"; }
  kill -$signal -- -$!
  wait $!
  code=$?
  [ $code -ne 0 ] || fail "it says 0 after SIG$signal"
  kill -0 "${daemon:-0}" 2>/dev/null && [ -n "$daemon" ] && fail "SIG$signal leaves the daemon"
  ls "$TMPDIR" | grep . && fail "SIG$signal leaves temporary files"
done
[ "$(state)" = "$before" ] || fail "the checkout has changed: $(state)"
exit $failed
