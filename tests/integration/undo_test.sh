#!/bin/bash
# undo and redo on the command line: what comes back, what is refused, and how it ends.
. "$(dirname "$0")/../support/daemon.sh"
daemon_start

expect "a session" continuo edit - <<<'{"operations": [
  {"addNode": {"node": {"id": "a", "type": "track", "children": [{"id": "p", "type": "player"}]}}},
  {"connect": {"from": "a", "to": "out"}}]}'
continuo session show >"$dir/before"
expect "a set" continuo set a.gain_db=-6
continuo session show >"$dir/set"
expect "a removal" continuo remove a
expect "a dry run" continuo undo --dry-run
continuo session show | grep -q '"a"' && fail "a dry run undid something"
expect "an undo" continuo undo
continuo session show | cmp - "$dir/set" || fail "the track is not as it was"
expect "a second undo" continuo undo
continuo session show | cmp - "$dir/before" || fail "the gain is not as it was"
expect "a redo" continuo redo
continuo session show | cmp - "$dir/set" || fail "the gain is not as it was set"
id=$(continuo --json set a.pan=0.5 | sed 's/.*"transaction_id": *"\?\([0-9]*\).*/\1/')
expect "a later edit" continuo set a.pan=0.25
expect_exit 75 a.pan continuo undo "$id"
expect_exit 66 NOTHING_TO_REDO continuo redo
expect_exit 66 NOTHING_TO_UNDO continuo undo 999999
continuo --json undo | grep -q '"OUTCOME_APPLIED"' || fail "the answer as JSON"
daemon_stop
