#!/bin/bash
# What the command line says where something will not be heard as one may think, and the names that it takes for files.
. "$(dirname "$0")/../support/daemon.sh"
wav=$CONTINUO_SUPPORT/wav.py
mkdir -p "$dir/media/album" "$dir/away"
"$wav" make "$dir/media/album/2 b.wav" 2 48000 || die "cannot write a file"
"$wav" make "$dir/media/album/10 c.wav" 2 48000
"$wav" make "$dir/media/a.wav" 1 24000
"$wav" make "$dir/away/outside.wav" 1 24000
said() { grep -qF -- "$1" "$dir/said" || { fail "it does not say '$1'"; cat "$dir/said"; }; }
silent_about() { ! grep -qF -- "$1" "$dir/said" || { fail "it says '$1'"; cat "$dir/said"; }; }
queue_of() { continuo --json queue list "$1" | python3 -c 'import json, sys
print(" ".join(json.loads(line)["file"].replace(" ", "_") for line in sys.stdin))'; }
daemon_start

# Names of the daemon's need no file here; files here are given their names.
cd "$dir/away" || exit 1
expect "play a name of the daemon's" continuo play media:a.wav
continuo session show --tree | grep -q '^  a  track' || fail "no track for media:a.wav"
expect "play a folder of the daemon's" continuo play media:album/
[ "$(continuo session show --tree | grep -c '  track')" = 2 ] || fail "no track a file of the folder"
expect "a deck" continuo track add deck
expect "its player" continuo add deck/player player mode=free
expect "play into the queue" continuo play --player deck/player media:a.wav "$dir/media/album/2 b.wav" media:album/
[ "$(queue_of deck/player)" = "media:a.wav media:album/2_b.wav media:album/2_b.wav media:album/10_c.wav" ] ||
  fail "the queue is $(queue_of deck/player)"
expect_exit 66 "none.wav" continuo play media:none.wav
expect_exit 66 "NO_AUDIO" continuo play takes:
expect_exit 65 "OUTSIDE_MEDIA_ROOTS" continuo play --player deck/player outside.wav
expect "add by name" continuo queue add deck/player media:a.wav "$dir/media/a.wav"
expect "stop" continuo stop
expect "stop the deck" continuo stop --player deck/player

# In and out points behind the file's end
expect "in behind the end" continuo queue add deck/player media:a.wav --in 24000
said "warning: deck/player: item 7: media:a.wav"
said "in 24000 is behind the file's end at 24000: the item is passed over"
expect "out behind the end" continuo queue set deck/player 7 --in 0 --out 24001
said "out 24001 is behind the file's end at 24000: the item ends there"
expect "within the file" continuo queue set deck/player 7 --in 23999 --out 24000
silent_about "behind the file's end"
expect "another item" continuo queue set deck/player 1 --gain -3
silent_about "warning"

# Cues that an edit of a queue breaks
expect "a cue" continuo cue add k - <<<'[{"skip": {"path": "deck/player", "item": {"number": 7}}}, {"play": {"players": ["deck/player"]}}]'
expect "a cue that does not care" continuo cue add other - <<<'[{"stop": {}}]'
expect "the fifth goes" continuo queue remove deck/player 5
said "warning: cue k cannot be fired: the queue of \"deck/player\" has 6 items, and no number 7"
silent_about "cue other"
expect "all go" continuo queue remove deck/player --all
silent_about "cue k"  # it was broken before
expect_exit 65 "WRONG_FIELD" continuo cue move k --after k
expect_exit 65 "beside itself" continuo cue move k --before k
expect "two items" continuo queue add deck/player media:a.wav media:a.wav
expect_exit 65 "beside itself" continuo queue move deck/player 1 --after 1
expect "to its own place" continuo queue move deck/player 1 --before 2

# A take cannot end before it begins
expect_exit 64 "--until" continuo record start out --at 0:10 --until 0:10
expect_exit 64 "BAD_TIME" continuo record start out --at 480000f --until 0:05

# A session that goes ends takes and drops what is scheduled, and says so
expect "a go that is to come" continuo go --at +60s
continuo scheduled >"$dir/said"
said "go (next cue)"
expect "another" continuo play --at +70s
take=$(continuo --json record start out --file takes:ended.wav | json takes.0) || fail "no take"
expect "new" continuo session new
said "the session before ended the take takes:ended.wav"
said "the session before dropped 2 scheduled commands"
expect "new again" continuo session new
silent_about "the session before"
expect "one that is to come" continuo play --at +60s
continuo record start out --file takes:other.wav >/dev/null || fail "no second take"
continuo --json session new >"$dir/said" || fail "session new --json"
[ "$(json dropped_scheduled <"$dir/said")" = 1 ] || fail "--json does not say what was dropped"
[ "$(json ended_takes.0 <"$dir/said")" = takes:other.wav ] || fail "--json does not say which take ended"
within 10 test -s "$dir/takes/other.wav" || fail "the take was not closed"

# Checked without a daemon
cat >"$dir/media/bad.json" <<'JSON'
{"format": 1,
 "nodes": [{"id": "deck", "type": "track", "children": [{"id": "player", "type": "player", "params": {"mode": "free"},
   "queue": [{"file": "a.wav", "in_frame": 24000}, {"file": "a.wav", "out_frame": 30000}, {"file": "a.wav"}]}]}],
 "cues": [
  {"name": "1", "operations": [{"play": {"players": ["nobody"]}}]},
  {"name": "2", "operations": [{"skip": {"path": "deck/player", "item": {"number": 9}}}]},
  {"name": "3", "operations": [{"set_params": {"path": "deck/player", "values": {"file": "gone.wav"}}}]},
  {"name": "4", "operations": [{"locate": {"timeline_frame": 48000}}, {"record_start": {"stop_timeline_frame": 100}}, {"play": {}}]},
  {"name": "5", "operations": [{"skip": {"path": "deck/player", "item": {"number": 3}}}]}]}
JSON
expect "the check" env CONTINUO_SERVER=unix:/nonexistent continuo session check "$dir/media/bad.json"
said "deck/player: item 1: a.wav: in 24000 is behind the file's end at 24000"
said "deck/player: item 2: a.wav: out 30000 is behind the file's end at 24000"
silent_about "item 3:"
said "cue 1 cannot be fired: there is no node \"nobody\""
said "cue 2 cannot be fired: the queue of \"deck/player\" has 3 items, and no number 9"
said "cue 3: no such file: gone.wav"
said "cue 4: its take is to end at timeline frame 100, and the cue goes to 48000"
silent_about "cue 5"
expect "a load says the same" continuo session load "$dir/media/bad.json"
for text in "item 1: a.wav: in 24000" "cue 1 cannot" "cue 2 cannot" "gone.wav" "cue 4: its take"; do said "$text"; done

# A file into a folder, under its own name
mkdir "$dir/got"
expect "into a folder" continuo media get media:a.wav "$dir/got/"
expect "into a folder without the stroke" continuo media get "media:album/2 b.wav" "$dir/got"
cmp "$dir/media/a.wav" "$dir/got/a.wav" || fail "a.wav is another one"
cmp "$dir/media/album/2 b.wav" "$dir/got/2 b.wav" || fail "2 b.wav is another one"
expect_exit 73 "ALREADY_EXISTS" continuo media get media:a.wav "$dir/got/"
expect_exit 73 "" continuo media get media:a.wav "$dir/none/"
expect_exit 1 "different" continuo compare "$dir/media/a.wav" "$dir/media/album/2 b.wav"
daemon_stop
exit $failures
