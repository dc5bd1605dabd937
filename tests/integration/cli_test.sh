#!/bin/bash
# The command line against a daemon on the clock device: a session built command by command equals the same session loaded
# from its file, every command answers, and bad input ends with its exit code, named, and changes nothing.
. "$(dirname "$0")/../support/daemon.sh"
bounded() { timeout 30 "$@"; }
continuo() { bounded "$CONTINUO_BIN/continuo" "$@"; }
# same WHAT A B: two texts are equal.
same() { [ "$2" = "$3" ] || { fail "$1: '$2' is not '$3'"; }; }
# The stand-in for a person's Ctrl-C: ended PID CODE: it ends at SIGINT, soon and with this code.
ended() {
  kill -INT "$1"
  within 10 gone "$1" || { fail "$3 does not end at SIGINT"; kill -KILL "$1"; }
  wait "$1"; same "$3's exit code" $? "$2"
}
gone() { [ ! -d "/proc/$1" ] || grep -q '^[0-9]* (.*) Z' "/proc/$1/stat"; }

songs=$dir/media/songs
mkdir "$songs"
"$CONTINUO_SUPPORT/wav.py" make "$songs/1 Lead Vox.wav" 1 24000 && "$CONTINUO_SUPPORT/wav.py" make "$songs/2 drums.wav" 2 24000 ||
  die "cannot write audio files"
"$CONTINUO_SUPPORT/wav.py" make "$dir/outside.wav" 1 100

# Without a daemon
export CONTINUO_SERVER=unix:$dir/nobody
expect_exit 69 "NO_SERVER" continuo status
expect_exit 69 "NO_SERVER" continuo play
expect_exit 69 "$dir/nobody" continuo watch
expect "version needs no daemon" continuo version
expect_exit 64 "BAD_ADDRESS" continuo --server nonsense status
expect "a session file needs no daemon" continuo session from "$songs" -o "$dir/media/from.json"
expect_exit 73 "ALREADY_EXISTS" continuo session from "$songs" -o "$dir/media/from.json"
expect_exit 66 "NO_AUDIO" continuo session from "$dir/takes" -o "$dir/x.json"
expect_exit 65 "OUTSIDE_SESSION_FOLDER" continuo session from "$songs" -o "$dir/takes/x.json"
expect "check" continuo session check "$dir/media/from.json"
echo '{"format": 1, "nodes": [{"id": "a", "type": "nonsense"}]}' >"$dir/bad.json"
expect_exit 65 "nonsense" continuo session check "$dir/bad.json"
expect_exit 66 "none.json" continuo session check "$dir/none.json"

daemon_start

# The command line itself
for words in "" "bogus" "session" "session bogus" "track" "locate" "locate 5" "locate -1s" "set" "set a=1" "set vox.gain_db" "get vox" \
  "connect a" "connect a b --map 0:1" "connect a b --gain loud" "identify out:0" "meters --rate 7" "meters --kind" "meters --kind party" "loudness" "loudness begin" "why out:0" "why out:x" "spectrum --channel x" "status extra" "status --bogus" \
  "set a.b=1 a.b=2" "play --wait --at +1s" "record start --for 0" "add x/ gain" "automate" "automate a" "automate a.b 1=2" "automate a.b 0=loud" "automate a.b 0=1:round" "automate a.b 0=1 --clear" \
  "automate a.b --on --off" "automate a.b --at +1s" "set a.b=1 --ramp 50" "play --timeout 0" "session load" "status --timeout nan" "status --timeout=-nan" "status --timeout inf" \
  "meters --once --kind peak-hold --hold nan" "meters --once --kind peak-hold --decay nan" "meters --once --kind silence --silence=-nan" "spectrum --average nan" "device use clock --rate nan" \
  "queue add a/p x.wav --gain nan" "queue add a/p x.wav --fade-in nan" "queue add a/p x.wav --fade-out inf" "queue add a/p x.wav --crossfade nan" \
  "queue add a/p x.wav --in 99999999999999999999" "undo 99999999999999999999" "undo 0" "cancel 99999999999999999999" "lease break 99999999999999999999"; do
  # shellcheck disable=SC2086
  expect_exit 64 "continuo: " continuo $words
  same "one line for '$words'" "$(wc -l <"$dir/said")" 1
done
expect "help" continuo --help
for command in play stop locate session track add remove connect disconnect edit set automate get params record takes status health version meters spectrum loudness why \
  watch devices device identify render compare measure; do
  grep -q "^  $command " "$dir/said" || fail "help does not list '$command'"
done

# A session from nothing, by the command line alone
expect "new" continuo session new tour --rate 48000
expect "track" continuo track add vox --file "$songs/1 Lead Vox.wav" --gain -6 --label "Lead Vox"
expect "track" continuo track add drums --file "media:songs/2 drums.wav" --pan -0.5
expect "bus" continuo add mix bus gain_db=-3 --before drums
expect "insert" continuo add vox/trim gain gain_db=-2 --label "Trim"
expect "container" continuo add fx container
expect "track below" continuo track add fx/hum --no-connect
expect "generator" continuo add fx/hum/tone oscillator waveform=saw frequency_hz=55
expect "disconnect" continuo disconnect drums out
expect "connect" continuo connect drums mix --gain -1.5 --map 1:2,2:1
expect "connect a port" continuo connect vox:pre mix --gain -20
expect "connect a device channel" continuo connect fx/hum out:2
expect "connect" continuo connect mix out
continuo params --types >"$dir/said"; [ "$(wc -l <"$dir/said")" -lt 150 ] || fail "params --types is endless: $(wc -l <"$dir/said") lines"
grep -q "gain.1_1 to gain.16_16" "$dir/said" && grep -q "band1.type to band8.type" "$dir/said" || { fail "params --types does not fold"; cat "$dir/said"; }
expect "a choice of numbers" continuo add vox/eq eq band3.type=low_pass band3.slope_db_per_oct=24
expect "a choice of numbers" continuo set vox/eq.band3.slope_db_per_oct=48
same "get a choice of numbers" "$(continuo get vox/eq.band3.slope_db_per_oct --json)" '{"vox/eq.band3.slope_db_per_oct":"48"}'
expect "a choice as it was printed" continuo set "vox/eq.band3.slope_db_per_oct=$(continuo get vox/eq.band3.slope_db_per_oct)"
expect_exit 65 "not 25" continuo set vox/eq.band3.slope_db_per_oct=25
expect "a channel that is not there" continuo connect vox out:99
grep -q "warning: vox to out:99: the device has only" "$dir/said" || { fail "no warning"; cat "$dir/said"; }
continuo status | grep -q "vox to out:99" || fail "the status does not name a channel that is not there"
expect "away with it" continuo disconnect vox out:99
expect_exit 65 "IN_THE_PAST" continuo set vox.gain_db=0 --at @1990-01-01T00:00:00Z
expect "set several" continuo set vox.gain_db=-4.5 drums.mute=true fx/hum/tone.frequency_hz=110 --ramp 20ms
expect "automate" continuo automate mix.gain_db 0s=-60 0:01.5=0:hold 96000f=-6
expect "automate" continuo automate fx/hum/tone.frequency_hz 0=110:exp 2s=880
expect "a lane off" continuo automate fx/hum/tone.frequency_hz --off
same "a lane as a table" "$(continuo automate mix.gain_db | tr '\t\n' '  ')" "0:00.000 0 -60 linear 0:01.500 72000 0 hold 0:02.000 96000 -6 linear "
same "a lane in JSON" "$(continuo automate mix.gain_db --json | json points.1.curve)" hold
expect_exit 65 "AUTOMATED" continuo set mix.gain_db=-3
expect "set where the lane is off" continuo set fx/hum/tone.frequency_hz=110
expect "a lane that goes" continuo automate mix.pan 0=0
expect "a lane gone" continuo automate mix.pan --clear
continuo params mix | grep -q "3 points" || fail "params does not tell of a lane"
continuo session show --tree | grep -q "gain_db~3 points" || fail "the tree does not tell of a lane"
echo '{"operations": [{"setLabel": {"path": "drums", "label": "Kit \"A\""}}, {"set_params": {"path": "vox", "values": {"pan": 0.25}}}]}' \
  >"$dir/edit.json"
expect "edit" continuo edit "$dir/edit.json"
expect "edit from standard input" continuo edit - <"$dir/edit.json"
same "get" "$(continuo get vox.gain_db)" -4.5
same "get several" "$(continuo get vox.pan drums.mute | tr '\n' ' ')" "vox.pan=0.25 drums.mute=true "
same "get in JSON" "$(continuo get vox.gain_db drums.mute --json)" '{"vox.gain_db":-4.5,"drums.mute":true}'
continuo session show >"$dir/built.json" || fail "show"
expect "save" continuo session save "$dir/media/saved.json"
cmp "$dir/built.json" "$dir/media/saved.json" || fail "save and show differ"
expect "add what the file lacks" continuo track add extra
expect "load" continuo session load "$dir/media/saved.json"
continuo session show >"$dir/loaded.json"
cmp "$dir/built.json" "$dir/loaded.json" || { fail "the loaded session is not the one that was built"; diff "$dir/built.json" "$dir/loaded.json"; }
expect "load from standard input" continuo session load - <"$dir/media/saved.json"
continuo events --json >"$dir/said"
grep '"client":"continuo cli [0-9]' "$dir/said" | grep -q grpc || { fail "a load does not say who called"; cat "$dir/said"; }
grep -q '"client":"grpc' "$dir/said" && { fail "a caller without a name"; cat "$dir/said"; }
same "show --json is one line" "$(continuo session show --json | wc -l)" 1
continuo session show --tree >"$dir/said"; grep -q "^  hum  track" "$dir/said" || { fail "tree"; cat "$dir/said"; }
expect "check the saved file" continuo session check "$dir/media/saved.json"
grep -q "2 media files found" "$dir/said" || { fail "the check does not ask the daemon for its roots"; cat "$dir/said"; }
CONTINUO_SERVER=unix:$dir/nobody expect "check it without a daemon" continuo session check "$dir/media/saved.json"
same "what it says then" "$(wc -l <"$dir/said") $(grep -c "not looked for: 2 media files of the media root \"media\"" "$dir/said")" "2 1"
expect_exit 73 "ALREADY_EXISTS" continuo session save "$dir/media/saved.json"
expect "save over it" continuo session save "$dir/media/saved.json" --force
cmp "$dir/built.json" "$dir/media/saved.json" || fail "save --force"

# Bad input: its code, its reason, and nothing changes
tell_bad() { echo "$2" >"$dir/bad.json"; expect_exit 65 "$1" continuo edit "$dir/bad.json"; }
expect_exit 66 "nobody" continuo set nobody.gain_db=0
expect_exit 65 "gain_db" continuo set vox.gain_db=1000
expect_exit 65 "gain_db" continuo set vox.gain_db=nan
expect_exit 65 "gain_db" continuo set vox.gain_db=loud
expect_exit 65 "nothing_db" continuo set vox.nothing_db=1
expect_exit 66 "UNKNOWN_PARAM" continuo get vox.nothing
expect_exit 65 "AUTOMATED" continuo set mix.gain_db=-3
expect_exit 65 "points[1].frame" continuo automate vox.gain_db 1s=0 1s=-6
expect_exit 65 "points[0].value" continuo automate vox.gain_db 1s=1000
expect_exit 65 "NOT_AUTOMATABLE" continuo automate vox.mute 1s=1
expect_exit 66 "NO_AUTOMATION" continuo automate vox.gain_db --off
expect_exit 66 "NO_AUTOMATION" continuo automate vox.gain_db
expect_exit 66 "nobody" continuo automate nobody.gain_db 0=0
expect_exit 66 "nobody" continuo params nobody
expect_exit 66 "nobody" continuo remove nobody
expect_exit 73 "vox" continuo track add vox
expect_exit 65 "nonsense" continuo add x nonsense
expect_exit 65 "BAD ID" continuo track add "BAD ID"
expect_exit 65 "mix" continuo connect mix vox
expect_exit 66 "nobody" continuo connect vox nobody
expect_exit 66 "nobody" continuo disconnect nobody out
expect_exit 66 "FILE_NOT_FOUND" continuo track add y --file "$songs/none.wav"
expect_exit 65 "OUTSIDE_MEDIA_ROOTS" continuo track add y --file "$dir/outside.wav"
expect_exit 65 "--media-root NAME=$dir" continuo play "$dir/outside.wav"
expect_exit 66 "FILE_NOT_FOUND" continuo play "$songs/none.wav"
expect_exit 66 "FILE_NOT_FOUND" continuo edit "$dir/none.json"
tell_bad "surprise" '{"operations": [{"set_params": {"path": "vox", "surprise": 1}}]}'
tell_bad "operations" '{"operations": []}'
tell_bad "BAD_JSON" '{"operations": ['
tell_bad "operations" '{"operations": [{}]}'
tell_bad "values" '{"operations": [{"set_params": {"path": "vox", "values": {"gain_db": "NaN"}}}]}'
tell_bad "operations[1]" '{"operations": [{"set_label": {"path": "vox", "label": "half"}}, {"set_params": {"path": "vox", "values": {"gain_db": 99}}}]}'
echo '{"operations": [{"set_params": {"path": "vox", "values": {"gain_db": 99}}}]}' >"$dir/bad.json"
expect_exit 65 "gain_db" continuo edit "$dir/bad.json" --dry-run
head -c 300 "$dir/built.json" >"$dir/bad.json"; expect_exit 65 "continuo: " continuo session load "$dir/bad.json"
head -c 3000 /dev/urandom >"$dir/bad.json"; expect_exit 65 "continuo: " continuo session load "$dir/bad.json"
sed 's/"format": 1/"format": 99/' "$dir/built.json" >"$dir/bad.json"; expect_exit 65 "99" continuo session load "$dir/bad.json"
sed 's/"type": "bus"/"surprise": 1, "type": "bus"/' "$dir/built.json" >"$dir/bad.json"; expect_exit 65 "surprise" continuo session load "$dir/bad.json"
expect_exit 66 "nowhere" continuo device use nowhere
expect_exit 66 "77" continuo identify out:77
expect_exit 66 "nobody" continuo record start nobody
expect_exit 66 "nobody" continuo meters nobody --once
expect_exit 73 "continuo: " continuo session save "$dir/none/x.json"
expect_exit 74 "WRITE_FAILED" bash -c "'$CONTINUO_BIN/continuo' session show >/dev/full"
continuo session show >"$dir/said"
cmp "$dir/built.json" "$dir/said" || { fail "bad input changed the session"; diff "$dir/built.json" "$dir/said"; }
[ -z "$(find "$dir" -maxdepth 2 -name '.*json*')" ] || fail "a temporary file was left"

# Seeing
same "status' first word" "$(continuo status | head -n 1 | grep -cE '^(healthy|degraded)$')" 1
expect "status --rt" continuo status --rt
grep -q callback "$dir/said" || fail "status --rt has no callback times"
same "health" "$(continuo health --json)" '{"api":true,"audio":true}'
expect "devices" continuo devices
expect "params" continuo params vox
expect "types" continuo params --types
same "one picture of the meters" "$(continuo meters --once | cut -f 2 | tr '\n' ' ')" "vox mix drums fx/hum out "
continuo meters --once --json --inputs >"$dir/said"
same "meters in JSON" "$(json meters.0.node <"$dir/said")" in
continuo meters --rate 50 --for 500ms >"$dir/said" || fail "meters --for"
[ "$(wc -l <"$dir/said")" -ge 5 ] || { fail "hardly any meters"; cat "$dir/said"; }

# Playing: a folder with no session at all, to its end
expect "new" continuo session new
continuo --json play "$songs" --wait >"$dir/said" || { fail "play --wait"; cat "$dir/said"; }
same "its outcome" "$(json outcome <"$dir/said")" OUTCOME_APPLIED
continuo status --json >"$dir/status"
same "it stopped" "$(json clock.rolling <"$dir/status")" false
[ "$(json clock.timeline_frame <"$dir/status")" -ge "$(json timeline_end_frame <"$dir/status")" ] || fail "play --wait ended early"
expect "again, other files" continuo play "$songs/2 drums.wav" "$songs/1 Lead Vox.wav"
continuo session show --tree | grep -q '^  2-drums  track' || fail "no track a file"
same "what an earlier play made is gone" "$(continuo session show --tree | grep -c '  track')" 2
expect "stop" continuo stop
expect "locate" continuo locate 0:00.25
same "located" "$(continuo status --json | json clock.timeline_frame)" "$(($(continuo status --json | json clock.timeline_rate_hz | cut -d. -f1) / 4))"
expect "play" continuo play
expect "new" continuo session new
expect "a track in the way" continuo track add play
expect_exit 65 "ID_IN_USE" continuo play "$songs"
same "a play that is to come" "$(continuo --json play --at +10s | json outcome)" OUTCOME_SCHEDULED
same "it has not begun" "$(continuo status --json | json clock.rolling)" false

# A queue: what is in it, what is heard, next and previous
expect "a deck" continuo track add deck
expect "its player" continuo add deck/player player mode=free
expect "queued" continuo queue add deck/player "$songs/1 Lead Vox.wav" "$songs/2 drums.wav"
expect "play next" continuo queue add deck/player "$songs/2 drums.wav" --in 10 --out 5000 --loops 2 --gain -6 --after current
same "three items" "$(continuo queue list deck/player | wc -l)" 3
expect "play the deck" continuo play --player deck/player
expect "next" continuo next deck/player
expect "on and back" continuo previous deck/player 2
same "the first" "$(continuo status --json | json players.0.item_index)" 1
expect "moved" continuo queue move deck/player 3 --before 1
expect "set" continuo queue set deck/player current --fade-in 20 --curve equal_power --crossfade 50 --crossfade-curve equal_power
expect "removed" continuo queue remove deck/player current
expect_exit 66 "UNKNOWN_ITEM" continuo queue remove deck/player 7
expect_exit 64 "USAGE" continuo queue move deck/player first
expect_exit 65 "WRONG_NODE" continuo next deck
expect "emptied" continuo queue remove deck/player --all
expect_exit 65 "EMPTY_QUEUE" continuo next deck/player
expect "the deck goes" continuo remove deck

# Later: every editing command takes --at; what waits is listed, taken back, guarded, and comes at its frame
echo '{"operations": [{"set_label": {"path": "late", "label": "later"}}]}' >"$dir/later.json"
echo '{"operations": [{"set_label": {"path": "late", "label": "x"}}], "when": {"after_seconds": 9}}' >"$dir/when.json"
json_each() { python3 -c 'import json, sys
for line in sys.stdin: print(json.loads(line)[sys.argv[1]])' "$1"; }
expect "new" continuo session new
expect "a track" continuo track add late
expect "another" continuo track add other
later() { local what=$1; shift; same "$what" "$(continuo --json "$@" --at +1000s | json outcome)" OUTCOME_SCHEDULED; }
later "set" set late.gain_db=-6
later "track add" track add fresh
later "add" add late/trim gain
later "move" move late/trim --id trim2
later "connect" connect late other
later "disconnect" disconnect late other
later "remove" remove other
later "edit" edit "$dir/later.json"
later "locate" locate 5s
later "play" play
later "stop" stop
later "record start" record start late --file takes:late.wav
later "record stop" record stop late
same "listed" "$(continuo scheduled --json | wc -l)" 13
continuo scheduled >"$dir/said"; grep -q "set late.gain_db=-6" "$dir/said" || { fail "scheduled does not list a set"; cat "$dir/said"; }
expect_exit 65 "BREAKS_SCHEDULED" continuo remove late
expect_exit 66 "NOT_SCHEDULED" continuo cancel 4711
expect_exit 64 "BAD_TIME" continuo set late.gain_db=0 --at tomorrow
expect_exit 64 "TWICE" continuo edit "$dir/when.json" --at +1s
expect_exit 64 "--wait" continuo record start late --for 1s --wait --at +1s
# From the last to the first: each rests on those before it.
for id in $(continuo scheduled --json | json_each transaction_id | tac); do expect "cancel" continuo cancel "$id"; done
same "none is left" "$(continuo scheduled --json)" ""
"$CONTINUO_BIN/continuo" watch --json >"$dir/watched" & watcher=$!
within 10 grep -q '"snapshot":{' "$dir/watched" || fail "watch has no snapshot"
continuo --json track add soon --at +1s >"$dir/said" || fail "track add --at"
same "the answer does not wait for it" "$(json outcome <"$dir/said")" OUTCOME_SCHEDULED
id=$(json transaction_id <"$dir/said")
# From the watch: by now it may have come already.
within 10 grep -q "\"scheduled\":{\"transaction_id\":\"$id\"" "$dir/watched" || fail "the watch does not tell of it"
due=$(sed -n "s/.*\"scheduled\":{\"transaction_id\":\"$id\".*\"engine_frame\":\"\([0-9]*\)\"}.*/\1/p" "$dir/watched")
within 10 grep -q "\"applied\":{\"transaction_id\":\"$id\",\"engine_frame\":\"$due\"" "$dir/watched" ||
  { fail "not applied at engine frame $due"; cat "$dir/watched"; }
same "and it is there" "$(continuo session show --tree | grep -c '^soon  track')" 1
expect "in a while" continuo set soon.gain_db=-6 --at +60s
continuo cancel "$(continuo scheduled --json | json transaction_id)" || fail "cancel"
within 10 grep -q '"cancelled":.*"CANCELLED"' "$dir/watched" || { fail "watch does not tell a cancellation"; cat "$dir/watched"; }
ended $watcher 0 watch

# Recording
expect "load" continuo session load "$dir/media/saved.json"
same "a take of exact length" "$(continuo record start out --file takes:exact.wav --for 12345f --play --wait)" "$dir/takes/exact.wav"
same "its frames" "$("$CONTINUO_SUPPORT/wav.py" info "$dir/takes/exact.wav" | cut -d' ' -f2)" 12345
expect_exit 73 "takes:exact.wav" continuo record start out --file takes:exact.wav
take=$(continuo record start vox) || fail "record start"
expect_exit 65 "vox" continuo record start vox
same "the same take" "$(continuo record stop)" "$take"
within 5 test -s "$take" || fail "no take at '$take'"
continuo takes >"$dir/said"
grep -q "^takes:exact.wav.out.[0-9]*.12345" "$dir/said" || { fail "takes"; cat "$dir/said"; }
expect "identify" continuo identify out:2 --for 200ms

# Following: every change in order with its maker, until Ctrl-C; also where nobody reads on
"$CONTINUO_BIN/continuo" watch --json >"$dir/watched" & watcher=$!
within 10 grep -q '"snapshot":{' "$dir/watched" || fail "watch has no snapshot"
expect "a change" continuo set vox.gain_db=-7
within 10 grep -q '"gain_db":-7' "$dir/watched" || { fail "watch missed a change"; cat "$dir/watched"; }
grep -q 'continuo cli [0-9]' "$dir/watched" || fail "watch does not name the client"
ended $watcher 0 watch
python3 -c 'import json, sys
for line in open(sys.argv[1]): json.loads(line)' "$dir/watched" || fail "watch --json is not JSON lines"
mkfifo "$dir/pipe"
exec 7<>"$dir/pipe"
"$CONTINUO_BIN/continuo" meters --rate 100 --json >"$dir/pipe" & slow=$!
"$CONTINUO_BIN/continuo" meters --rate 100 >"$dir/metered" & quick=$!
# By the time that one has written 60 kB, the other has long filled its pipe (64 KiB) and hangs in a write.
full() { [ "$(wc -c <"$dir/metered")" -gt 60000 ]; }
within 20 full || fail "the meters did not go on"
ended $slow 0 "meters on a pipe that nobody reads"
ended $quick 0 meters
exec 7>&-
if command -v script >/dev/null; then
  script -qec "stty cols 80 rows 24; '$CONTINUO_BIN/continuo' meters --for 1s" "$dir/typed" >/dev/null </dev/null || fail "meters on a terminal"
  sed 's/\x1b\[[0-9;?]*[A-Za-z]//g; s/\r//g' "$dir/typed" | awk 'length($0) > 80 && !/^Script/ { exit 1 }' || fail "bars wider than the terminal"
  grep -q "Kit" "$dir/typed" || fail "no bars"
fi

# Tab
# shellcheck source=/dev/null
. "$(dirname "$0")/../../deploy/completion/continuo.bash"
tab() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _continuo 2>/dev/null; printf '%s ' "${COMPREPLY[@]}"; }
same "Tab on a command" "$(tab continuo rec)" "record "
same "Tab on a subcommand" "$(tab continuo session sh)" "show "
same "Tab on api" "$(tab continuo api e)" "export "
same "Tab on an option" "$(tab continuo record start --pl)" "--play "
same "Tab on a node" "$(tab continuo remove mi)" "mix "
same "Tab on a node below" "$(tab continuo params fx/h)" "fx/hum fx/hum/tone "
same "Tab on a parameter" "$(tab continuo set vox.ga)" "vox.gain_db= "
same "Tab on a type" "$(tab continuo add x oscil)" "oscillator "
CONTINUO_SERVER=unix:$dir/nobody
same "Tab without a daemon" "$(tab continuo remove mi)" " "
CONTINUO_SERVER=unix:$dir/socket

expect "healthy to the end" continuo health
daemon_stop
exit "$failures"
