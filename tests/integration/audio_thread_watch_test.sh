#!/bin/bash
# From outside: over 10 s of playing, recording and editing at once, the audio thread makes no system call but its device's
# wait and takes no page fault. On the clock device, alone and with a render worker, and on JACK.
. "$(dirname "$0")/../support/daemon.sh"
seconds=10

# Everything at once, until told to stop: parameters, nodes that come and go, connections, locates, meters.
edits() {
  continuo meters --rate 50 >/dev/null 2>&1 & local meters=$!
  local i=0
  while [ ! -e "$dir/enough" ]; do
    i=$((i + 1))
    continuo set "a.gain_db=-$((i % 20))" "a.pan=0.$((i % 10))" --ramp 30ms
    continuo add "extra$i" track && continuo add "extra$i/tone" oscillator frequency_hz=$((200 + i))
    continuo connect "extra$i" out --gain -40
    continuo locate "$((i % 3))s"
    continuo remove "extra$i"
  done >"$dir/edits" 2>&1
  echo "$i" >"$dir/rounds"
  kill $meters; wait $meters
}

# watch_it NAME CALL...: a daemon runs already.
watch_it() {
  local name=$1; shift
  if [ -n "${session:-}" ]; then
    expect "$name: session" continuo session load "$session"
  else
    expect "$name: session" continuo session new watched
  fi
  expect "$name: track" continuo track add a --file "$dir/media/noise.wav"
  # Once before the watch, so that the first of everything (a plan, a take) is behind us.
  expect "$name: play and record" continuo record start out --file "takes:$name.wav" --play
  rm -f "$dir/enough"; edits & local editor=$!
  within 10 test -s "$dir/edits" || true
  local callbacks waits
  callbacks=$(json counters.callbacks <<<"$(continuo status --json)")
  "$CONTINUO_SUPPORT/audio_thread_watch.sh" "$DAEMON_PID" continuo-audio $seconds "$@" >"$dir/watch" || fail "$name: $(tail -n 1 "$dir/watch")"
  # A lock that had to be waited for would look like JACK's wait: so no more than one wait a callback.
  waits=$(sed -n 's/^calls=\([0-9]*\)$/\1/p' "$dir/watch")
  callbacks=$(($(json counters.callbacks <<<"$(continuo status --json)") - callbacks))
  echo "$name: $callbacks callbacks, ${waits:-unseen} waits"
  [ "${waits:-0}" -le $((callbacks + 2)) ] || fail "$name: $waits waits in $callbacks callbacks"
  touch "$dir/enough"; wait $editor
  sed "s/^/$name: /" "$dir/watch"
  echo "$name: $(cat "$dir/rounds") rounds of edits"
  [ "$(cat "$dir/rounds")" -ge 3 ] || { fail "$name: hardly any edit was made"; cat "$dir/edits"; }
  expect "$name: stop" continuo record stop
  grep -q . "$dir/edits" && grep -v '^$' "$dir/edits" | sort | uniq -c | head -n 5
  "$CONTINUO_SUPPORT/wav.py" info "$dir/takes/$name.wav" >"$dir/said" || fail "$name: $(cat "$dir/said")"
}

"$CONTINUO_SUPPORT/wav.py" make "$dir/media/noise.wav" 2 1440000 || die "cannot write the noise"
if [ "${1:-}" = jack ]; then
  daemon_start --device system --host-api JACK
  watch_it jack futex poll ppoll
  daemon_stop
else
  daemon_start
  watch_it clock clock_nanosleep
  daemon_stop
  # Work enough for two threads, and a worker where there are cores for it.
  python3 - >"$dir/stage.json" <<'PY'
import json
tracks = [{"id": f"t{i}", "type": "track", "params": {"gain_db": -40}, "children": [
    {"id": "o", "type": "oscillator", "params": {"frequency_hz": 100 + i}}, {"id": "c", "type": "compressor"}]} for i in range(64)]
print(json.dumps({"format": 1, "nodes": tracks, "connections": [{"from": track["id"], "to": "out"} for track in tracks]}))
PY
  seconds=5 session=$dir/stage.json
  daemon_start --device clock --render-workers 1
  watch_it workers clock_nanosleep
  if [ "$(nproc)" -ge 3 ]; then
    grep -qx continuo-rdr-1 "/proc/$DAEMON_PID"/task/*/comm || fail "workers: no thread continuo-rdr-1"
    continuo status --rt | grep "^workers " || fail "workers: status --rt does not tell of them"
    [ "$(json realtime.worker_tasks <<<"$(continuo status --json)")" -gt 0 ] || fail "workers: the worker did nothing"
  else
    grep -q "audio.render_workers: 0 of 1" "$dir/log" || fail "workers: a machine of $(nproc) cores should say that it has none to spare"
  fi
  daemon_stop
  "$CONTINUO_SUPPORT/with_jackd.sh" -p 256 -- "$0" jack || fail "on JACK"
fi
exit $failures
