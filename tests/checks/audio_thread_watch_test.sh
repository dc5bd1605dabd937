#!/bin/bash
# The watch of the audio thread can fail: a thread that only sleeps passes every observer that this machine allows; one
# that opens a file, touches a new page or never waits is caught.
set -u
watch=$(dirname "$(readlink -f "$0")")/../support/audio_thread_watch.sh
dir=$(mktemp -d) victim=
stop() { [ -z "$victim" ] || { kill "$victim" 2>/dev/null; wait "$victim" 2>/dev/null; victim=; }; }
trap 'stop; rm -rf "$dir"' EXIT
cat >"$dir/victim.py" <<'PYTHON'
import mmap, os, sys, threading, time
sin = sys.argv[1]
pages = mmap.mmap(-1, 64 << 20)
def audio():
    with open(f"/proc/self/task/{threading.get_native_id()}/comm", "w") as name:
        name.write("watched")
    page = 0
    while True:
        time.sleep(0.005)
        if sin == "opens": os.close(os.open("/dev/null", 0))
        if sin == "faults": page += 4096; pages[page] = 1
        if sin == "spins":
            while True: pass
threading.Thread(target=audio, daemon=True).start()
time.sleep(60)
PYTHON
start() {
  stop
  python3 "$dir/victim.py" "$1" & victim=$!
  for _ in {1..100}; do
    cat /proc/$victim/task/*/comm 2>/dev/null | grep -qx watched && return
    sleep 0.05
  done
}
failed=0
expect() {  # WANT SIN OBSERVER
  WATCH_METHOD=$3 "$watch" "$victim" watched 1 clock_nanosleep futex >"$dir/said" 2>&1
  local code=$?
  [ "$code" -eq "$1" ] && return
  echo "a thread that $2, seen by ${3:-the best observer}: exit $code, not $1"; cat "$dir/said"; failed=1
}
start sleeps
observers=$("$watch" "$victim" watched 1 clock_nanosleep futex | sed -n 's/^observer=//p')
echo "best observer here: $observers"
WATCH_METHOD=strace "$watch" "$victim" watched 1 clock_nanosleep futex >/dev/null 2>&1 && observers+=" strace"
observers=$(printf '%s\n' $observers proc | sort -u)
for observer in $observers; do expect 0 sleeps "$observer"; done
"$watch" "$victim" nobody 1 >/dev/null 2>&1
[ $? -eq 2 ] || { echo "a thread that is not there was not noticed"; failed=1; }
start faults
for observer in $observers; do expect 1 faults "$observer"; done
start opens
for observer in $observers; do [ "$observer" = proc ] || expect 1 opens "$observer"; done
start spins
for observer in $observers; do [ "$observer" = strace ] || expect 1 spins "$observer"; done
exit $failed
