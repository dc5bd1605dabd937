#!/bin/bash
# The show lock by the command line: who has the token writes, everybody reads, and an id is applied once over a restart.
. "$(dirname "$0")/../support/daemon.sh"
continuo() { timeout 60 "$CONTINUO_BIN/continuo" "$@"; }
daemon_start --device clock
expect "tracks" continuo track add vox
expect "tracks" continuo track add band
expect "nothing is leased" continuo lease list
[ ! -s "$dir/said" ] || fail "leases before any: $(cat "$dir/said")"

token=$(continuo lease take vox --for 1:00:00 --note "show time") || die "no lease"
[[ $token =~ ^[0-9a-f]{32}$ ]] || fail "the token is '$token'"
expect_exit 65 LEASED continuo set vox.gain_db=-3
grep -qF "show time" "$dir/said" || fail "the refusal does not say why: $(cat "$dir/said")"
grep -qF "$token" "$dir/said" && fail "the refusal tells the token"
expect "somewhere else" continuo set band.gain_db=-3
expect "reading" continuo get vox.gain_db
expect "with --lease" continuo --lease "$token" set vox.gain_db=-3
expect "with --lease behind" continuo set vox.gain_db=-4 --lease "$token"
expect "with \$CONTINUO_LEASE" env CONTINUO_LEASE="$token" "$CONTINUO_BIN/continuo" set vox.gain_db=-5
expect_exit 65 LEASED continuo --lease 00000000000000000000000000000000 set vox.gain_db=-3
expect_exit 65 LEASED continuo remove vox
expect_exit 65 LEASED continuo lease take
expect_exit 66 UNKNOWN_NODE continuo lease take nobody
expect_exit 64 "--for" continuo lease take band --for 3
expect_exit 65 OUT_OF_RANGE continuo lease take band --for 0.1s
expect "list" continuo lease list
grep -qF vox "$dir/said" && ! grep -qF "$token" "$dir/said" || fail "the list says: $(cat "$dir/said")"
id=$(continuo lease list --json | json lease_id)

whole=$(continuo --lease "$token" lease take --json | json token) || die "no lease of the whole"
expect_exit 65 LEASED continuo --lease "$token" play
expect "both" continuo --lease "$token,$whole" play
expect_exit 65 LEASED continuo --lease "$token" device use clock
expect "the device" continuo --lease "$whole" device use clock
expect "the session" continuo session save "$dir/media/s.json"
expect_exit 65 LEASED continuo --lease "$whole" session load "$dir/media/s.json"
expect "renew" env CONTINUO_LEASE="$token,$whole" "$CONTINUO_BIN/continuo" lease renew --for 2:00:00
expect "release" continuo lease release "$whole"
expect_exit 66 UNKNOWN_LEASE continuo lease renew "$whole"
expect_exit 64 NO_TOKEN continuo lease release
expect "break" continuo lease break "$id"
expect_exit 66 UNKNOWN_LEASE continuo lease break "$id"
expect "free again" continuo set vox.gain_db=-6
journal() { continuo events --kind lease --json >"$dir/events" && [ "$(grep -c . "$dir/events")" -ge 4 ]; }
within 10 journal || fail "the journal has: $(cat "$dir/events")"
for word in ACQUIRED RELEASED BROKEN; do grep -q "$word" "$dir/events" || fail "no $word in the journal"; done
grep -qE "$token|$whole" "$dir/events" "$dir/log" && fail "a token is in the journal or the log"
for words in lease 'lease take'; do
  continuo __complete words $words >"$dir/words"
  grep -qx -- --lease "$dir/words" || fail "--lease is not offered for '$words'"
done
grep -qx -- --note "$dir/words" || fail "--note is not offered for 'lease take'"
daemon_stop
! grep -rqE "$token|$whole" "$dir/state" || fail "a token is in the state folder"
exit $failures
