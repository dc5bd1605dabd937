#!/bin/bash
# Figures of the whole daemon on the clock device, not judged: start to first sound, a parameter set to audible, CPU and
# memory when idle and with 32 tracks. CONTINUO_BIN names the folder of the programs.
. "$(dirname "$0")/../support/daemon.sh"

# cpu SECONDS: per cent of one core over this time.
cpu() {
  local before after
  before=$(awk '{ print $14 + $15 }' "/proc/$DAEMON_PID/stat")
  sleep "$1"
  after=$(awk '{ print $14 + $15 }' "/proc/$DAEMON_PID/stat")
  awk -v a="$before" -v b="$after" -v s="$1" -v hz="$(getconf CLK_TCK)" 'BEGIN { printf "%.2f %%", 100 * (b - a) / hz / s }'
}
memory() { awk '/^VmRSS/ { printf "%.1f MiB", $2 / 1024 }' "/proc/$DAEMON_PID/status"; }
figure() { printf '%-44s %s\n' "$1" "$2"; }

begin=$EPOCHREALTIME
daemon_start
until [ "$(json counters.callbacks <<<"$(continuo status --json)")" -gt 0 ]; do sleep 0.01; done
figure "start to a running callback, seen by a client" "$(awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.0f ms", 1000 * (b - a) }')"
figure "idle CPU" "$(cpu 10)"
figure "idle memory" "$(memory)"

for i in {1..32}; do
  printf '{"add_node":{"parent":"","node":{"id":"t%d","type":"track","children":[{"id":"osc","type":"oscillator"},{"id":"gain","type":"gain"}]}}},\n' "$i"
  printf '{"connect":{"from":"t%d","to":"out"}},\n' "$i"
done | sed '$s/,$//' | { echo '{"operations":['; cat; echo ']}'; } >"$dir/tracks.json"
expect "32 tracks" continuo edit "$dir/tracks.json"
figure "CPU with 32 tracks" "$(cpu 10)"
figure "memory with 32 tracks" "$(memory)"

total=0 worst=0
for i in {1..20}; do
  before=$(json clock.engine_frame <<<"$(continuo status --json)")
  after=$(json engine_frame <<<"$(continuo set "t1.gain_db=-$i" --json)")
  total=$((total + after - before))
  [ $((after - before)) -le $worst ] || worst=$((after - before))
done
figure "set to audible, two client processes included" "mean $((total / 20)) frames, worst $worst"
continuo status --rt | grep -E '^callback|xruns|late' | sed 's/^ */    /'
daemon_stop
exit $failures
