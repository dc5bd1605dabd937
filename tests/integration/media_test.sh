#!/bin/bash
# `continuo media`: files up and down, listed, looked into and deleted, with the exit codes of the table.
. "$(dirname "$0")/../support/daemon.sh"
continuo() { timeout 60 "$CONTINUO_BIN/continuo" "$@"; }
same() { [ "$2" = "$3" ] || fail "$1: '$2' is not '$3'"; }

"$CONTINUO_SUPPORT/wav.py" make "$dir/song.wav" 2 48000 || die "cannot write audio files"
head -c 30000000 /dev/urandom >"$dir/big"
daemon_start

same "the roots" "$(continuo media ls | tr '\n' ' ')" "home: media: takes: "
same "an empty folder" "$(continuo media ls media:)" ""
same "put" "$(continuo media put "$dir/song.wav" media:)" "media:song.wav"
same "put into a folder" "$(continuo media put "$dir/song.wav" media:a/b/)" "media:a/b/song.wav"
same "put under another name" "$(continuo media put "$dir/song.wav" media:a/other.wav)" "media:a/other.wav"
cmp "$dir/song.wav" "$dir/media/a/b/song.wav" || fail "what came is not what was sent"
same "ls" "$(continuo media ls media: | tr '\n' ' ')" "media:a/ media:song.wav "
same "ls -r" "$(continuo media ls media:a -r | tr '\n' ' ')" "media:a/b/ media:a/b/song.wav media:a/other.wav "
same "ls --long" "$(continuo media ls media: --long | awk -F'\t' '$1 == "media:song.wav" { print $2 }')" "$(stat -c %s "$dir/song.wav")"
same "ls --json" "$(continuo media ls media:a/b --json | json path)" media:a/b/song.wav
same "probe" "$(continuo media probe media:song.wav --json | json frames)" 48000
continuo media probe media:song.wav media:a/other.wav >"$dir/said"; same "probe two" "$(wc -l <"$dir/said")" 2
expect_exit 73 "FILE_EXISTS" continuo media put "$dir/song.wav" media:song.wav
expect "put --force" continuo media put "$dir/song.wav" media:song.wav --force
expect_exit 66 "FILE_NOT_FOUND" continuo media put "$dir/none" media:
expect_exit 66 "NOT_A_FILE" continuo media put "$dir/media" media:
expect_exit 66 "UNKNOWN_ROOT" continuo media put "$dir/song.wav" nowhere:a.wav
expect_exit 77 "OUTSIDE_ROOT" continuo media put "$dir/song.wav" media:../a.wav
expect_exit 65 "NO_ROOT" continuo media get song.wav "$dir/x"
expect_exit 66 "FILE_NOT_FOUND" continuo media get media:none.wav "$dir/x"
[ ! -e "$dir/x" ] || fail "a failed get leaves a file"
expect "get" continuo media get media:song.wav "$dir/back.wav"
cmp "$dir/song.wav" "$dir/back.wav" || fail "get"
expect_exit 73 "ALREADY_EXISTS" continuo media get media:song.wav "$dir/back.wav"
expect "get --force" continuo media get media:song.wav "$dir/back.wav" --force
continuo media get media:song.wav - | cmp - "$dir/song.wav" || fail "get to standard output"
(cd "$dir/state" && expect "get under its own name" continuo media get media:a/other.wav && cmp other.wav "$dir/song.wav") || fail "own name"

# What an interrupted upload left is gone on with.
sha256=$(sha256sum <"$dir/big" | cut -c1-64)
part=$dir/media/.continuo-$(printf 'media:big.bin\n%s\n30000000' "$sha256" | sha256sum | cut -c1-32).upload
head -c 12345678 "$dir/big" >"$part"
same "goes on" "$(continuo media put "$dir/big" media:big.bin --json | json started_at)" 12345678
cmp "$dir/big" "$dir/media/big.bin" || fail "the upload that went on is not what was sent"
same "nothing of ours stays" "$(find "$dir/media" -name '.continuo*' | wc -l)" 0

expect "play it" continuo track add song --file media:song.wav
expect_exit 65 "MEDIA_IN_USE" continuo media rm media:song.wav
expect "queued" continuo track add deck --no-connect
expect "queued" continuo add deck/player player mode=free
expect "queued" continuo queue add deck/player media:a/other.wav
expect_exit 65 "deck/player" continuo media rm media:a/other.wav
expect "not queued" continuo remove deck
expect "rm" continuo media rm media:big.bin media:a/other.wav
expect_exit 66 "FILE_NOT_FOUND" continuo media rm media:big.bin
same "completion" "$(continuo __complete media media:a/ | tr '\n' ' ')" "media:a/b/ "
daemon_stop
exit "$failures"
