#!/bin/bash
# audio_thread_watch.sh PID THREAD SECONDS [CALL...]
# Watches one thread (by name or number) of a running process from outside: its system calls, page faults and switches.
# CALL...: the calls that are its device's wait; any other is a failure, and so is any page fault.
# It takes the best observer that this machine allows, and says which:
#   perf     tracepoint counters in the kernel: every call is counted, the thread is never stopped
#   strace   ptrace: every call is seen, the thread is slowed
#   proc     /proc alone: faults and switches; where calls cannot be seen, each voluntary switch is a wait
# The observers that the machine allows are tried out first; WATCH_METHOD=perf|strace|proc forces one.
# Prints key=value lines, last "verdict=ok" or "verdict=FAIL reason=...". Exit 0 ok, 1 failed, 2 usage or no such thread.
set -u
export LC_ALL=C
[ $# -ge 3 ] || { sed -n '2,9s/^# //p' "$0" >&2; exit 2; }
pid=$1 want=$2 seconds=$3
shift 3
allowed=" $* "

tid=
for task in /proc/"$pid"/task/*; do
  name=$(cat "$task/comm" 2>/dev/null) || continue
  if [ "$name" = "$want" ] || [ "${task##*/}" = "$want" ]; then
    [ -z "$tid" ] || { echo "error=two threads of $pid are called $want" >&2; exit 2; }
    tid=${task##*/}
  fi
done
[ -n "$tid" ] || { echo "error=process $pid has no thread $want" >&2; exit 2; }
proc=/proc/$pid/task/$tid
scratch=$(mktemp -d) && trap 'rm -rf "$scratch"' EXIT

perf_works() {
  command -v perf >/dev/null || return 1
  [ -d /sys/kernel/tracing/events ] || mount -t tracefs nodev /sys/kernel/tracing 2>/dev/null
  perf stat -x, -o "$scratch/try" -e raw_syscalls:sys_enter -t "$tid" -- sleep 0.2 >/dev/null 2>&1 &&
    awk -F, '$3 == "raw_syscalls:sys_enter" && $1 + 0 > 0 { seen = 1 } END { exit !seen }' "$scratch/try"
}
strace_works() {
  command -v strace >/dev/null || return 1
  timeout -s INT 0.5 strace -c -o "$scratch/try" -p "$tid" >/dev/null 2>&1
  grep -q total "$scratch/try" 2>/dev/null
}
method=${WATCH_METHOD:-}
[ -n "$method" ] || { perf_works && method=perf; } || { strace_works && method=strace; } || method=proc

switches() { awk -v key="$1_ctxt_switches:" '$1 == key { print $2 }' "$proc/status"; }
faults() { sed 's/^.*) //' "$proc/stat" | awk '{ print $8, $10 }'; }
read -r minor_0 major_0 <<<"$(faults)"
voluntary_0=$(switches voluntary) forced_0=$(switches nonvoluntary)

# Each observer leaves "call count" lines in $scratch/calls, with "other" for calls that it cannot name.
: >"$scratch/calls"
case $method in
  perf)
    events=raw_syscalls:sys_enter
    for call in $allowed; do
      [ -d "/sys/kernel/tracing/events/syscalls/sys_enter_$call" ] && events+=,syscalls:sys_enter_$call
    done
    # One group: its counters begin and end together. Each by itself, a call between two of them would be an "other".
    perf stat -x, -o "$scratch/stat" -e page-faults -e "{$events}" -t "$tid" -- sleep "$seconds" >/dev/null 2>&1
    awk -F, '$3 ~ /^syscalls:sys_enter_/ && $1 + 0 > 0 { sub("syscalls:sys_enter_", "", $3); print $3, $1; named += $1 }
             $3 == "raw_syscalls:sys_enter" { all = $1 + 0 } END { if (all > named) print "other", all - named }' \
      "$scratch/stat" >"$scratch/calls" ;;
  strace)
    timeout -s INT "$seconds" strace -c -o "$scratch/strace" -p "$tid" >/dev/null 2>&1
    awk '$4 ~ /^[0-9]+$/ && $NF != "total" { print $NF, $4 }' "$scratch/strace" >"$scratch/calls" ;;
  proc) sleep "$seconds" ;;
  *) echo "error=no observer called $method" >&2; exit 2 ;;
esac

[ -d "$proc" ] || { echo "verdict=FAIL reason=the thread ended"; exit 1; }
read -r minor_1 major_1 <<<"$(faults)"
waits=$(($(switches voluntary) - voluntary_0))
echo "observer=$method"
echo "thread=$(cat "$proc/comm") tid=$tid seconds=$seconds sched=$(chrt -p "$tid" 2>/dev/null | sed 's/.*: //' | paste -sd, | tr -d ' ')"
echo "minor_faults=$((minor_1 - minor_0)) major_faults=$((major_1 - major_0)) voluntary=$waits forced=$(($(switches nonvoluntary) - forced_0))"

reasons=()
calls=0
while read -r call count; do
  calls=$((calls + count))
  echo "call.$call=$count"
  case $allowed in *" $call "*) ;; *) reasons+=("$count calls of $call") ;; esac
done <"$scratch/calls"
echo "calls=$([ "$method" = proc ] && echo unseen || echo $calls)"
if grep -q '^other ' "$scratch/calls"; then  # which ones: a second look, sampled
  perf trace -s -o "$scratch/trace" -t "$tid" -- sleep 2 >/dev/null 2>&1
  awk '$1 ~ /^[a-z_0-9]+$/ && $2 ~ /^[0-9]+$/ && NF >= 6 { print "second_look." $1 "=" $2 }' "$scratch/trace"
fi
[ "$((minor_1 - minor_0))" -eq 0 ] || reasons+=("$((minor_1 - minor_0)) minor page faults")
[ "$((major_1 - major_0))" -eq 0 ] || reasons+=("$((major_1 - major_0)) major page faults")
[ "$method" = proc ] && [ "$waits" -eq 0 ] && reasons+=("it never waited: is it the audio thread?")
[ "$method" != proc ] && [ "$calls" -eq 0 ] && reasons+=("no call was seen at all: nothing was measured")
if [ ${#reasons[@]} -gt 0 ]; then
  printf 'verdict=FAIL reason=%s\n' "$(printf '%s; ' "${reasons[@]}")"
  exit 1
fi
echo "verdict=ok"
