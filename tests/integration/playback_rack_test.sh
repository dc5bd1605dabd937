#!/bin/bash
# The example session "playback rack" on the clock device, driven by the command line: its cues fire in order, are armed, and
# what is said of them is so.
. "$(dirname "$0")/../support/daemon.sh"
continuo() { timeout 30 "$CONTINUO_BIN/continuo" "$@"; }
here=$(readlink -f "$(dirname "$0")/../..")/deploy/examples/playback-rack

cp -r "$here" "$dir/media/rack" || die "cannot copy the example"
for name in bed opening song finale jingle; do
  "$CONTINUO_SUPPORT/wav.py" make "$dir/media/rack/$name.wav" 2 480000 || die "cannot write audio files"
done
"$CONTINUO_SUPPORT/wav.py" make "$dir/media/other.wav" 2 4800
daemon_start
expect "load" continuo session load "$dir/media/rack/playback-rack.json"
[ -s "$dir/said" ] && grep -q warning "$dir/said" && { fail "the example loads with warnings"; cat "$dir/said"; }

cues() { continuo status --json | json "cues.$1"; }
next_is() { [ "$(cues next.name)" = "$1" ] || fail "next is '$(cues next.name)', not '$1'"; }
armed() { [ "$(cues next_state)" = NEXT_STATE_ARMED ]; }
player() { continuo status --json | python3 -c 'import json, sys
print(json.dumps(next(p for p in json.load(sys.stdin)["players"] if p["path"] == sys.argv[1])[sys.argv[2]]))' "$1" "$2"; }

continuo cue ls >"$dir/said"; [ "$(wc -l <"$dir/said")" -eq 6 ] || { fail "cue ls"; cat "$dir/said"; }
for cue in 1 2 3 4; do
  next_is "$cue"
  within 10 armed || fail "cue $cue is not armed: $(continuo status)"
  expect "go" continuo go --expect "$cue"
done
[ "$(player deck/player item_index)" = 3 ] || fail "the deck is at item $(player deck/player item_index)"
[ "$(player bed/player rolling)" = false ] || fail "the bed still plays"
next_is end
expect_exit 75 "NOT_NEXT" continuo go --expect 4
expect "a named one" continuo go jingle --keep-next
[ "$(player jingle/player rolling)" = true ] || fail "no jingle"
next_is end
expect "go" continuo go
[ "$(player deck/player rolling)" = false ] || fail "the deck still plays"
next_is jingle
expect "go" continuo go
expect_exit 65 "NO_NEXT_CUE" continuo go
expect "status" continuo status; grep -q "none is next" "$dir/said" || fail "the status does not tell of the cues"
expect "back" continuo cue next 1
next_is 1
expect_exit 66 "UNKNOWN_CUE" continuo go 99
expect_exit 66 "UNKNOWN_CUE" continuo cue next 99

# The list, edited
expect "show" continuo cue show 2
cp "$dir/said" "$dir/two.json"
expect "set" continuo cue set 2 "$dir/two.json" --label "Again"
expect "add" continuo cue add 2.5 "$dir/two.json" --after 2
expect_exit 73 "DUPLICATE_CUE" continuo cue add 2.5 "$dir/two.json"
echo '[{"stop": {}}]' >"$dir/stop.json"
expect "a list alone" continuo cue add halt - <"$dir/stop.json"
expect "move" continuo cue move halt --before 1
expect "rename" continuo cue set halt --name hold
continuo cue ls | cut -f2 | tr '\n' ' ' >"$dir/said"
[ "$(cat "$dir/said")" = "hold 1 2 2.5 3 4 end jingle " ] || fail "the list is '$(cat "$dir/said")'"
expect "remove" continuo cue remove hold 2.5
expect_exit 65 "" continuo cue add bad - <<<'[{"go": {}}]'
expect_exit 65 "BAD_JSON" continuo cue add bad - <<<'[{"dance": {}}]'
expect_exit 66 "UNKNOWN_NODE" continuo cue add bad - <<<'[{"play": {"players": ["nobody"]}}]'
expect_exit 64 "" continuo cue
expect_exit 64 "" continuo cue add x

# An edit that breaks a cue is told
expect "remove a node" continuo remove jingle
grep -q "warning: cue jingle cannot be fired" "$dir/said" || { fail "no warning"; cat "$dir/said"; }

# Files into a player's queue
expect "play files" continuo play --player deck/player "$dir/media/other.wav" "$dir/media/rack/song.wav"
[ "$(player deck/player rolling)" = true ] || fail "the deck does not play"
[ "$(player deck/player item_count)" = 2 ] || fail "the deck's queue has $(player deck/player item_count) items"
expect "play files over a file" continuo play --player bed/player "$dir/media/other.wav"
expect_exit 64 "USAGE" continuo play --player a --player b "$dir/media/other.wav"
expect_exit 65 "" continuo play --player main/limiter "$dir/media/other.wav"

# Saved and loaded, it is the same
expect "load" continuo session load "$dir/media/rack/playback-rack.json"
expect "save" continuo session save "$dir/media/rack/again.json"
expect "the saved one again" continuo session load "$dir/media/rack/again.json"
cmp <(continuo session show) "$dir/media/rack/again.json" || fail "a saved session is another one once it is loaded"
daemon_stop
