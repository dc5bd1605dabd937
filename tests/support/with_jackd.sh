#!/bin/bash
# with_jackd.sh [-p PERIOD] [-r RATE] [-c CHANNELS] [-S] -- COMMAND...
# Runs COMMAND beside a JACK server of its own, with no sound card: the devices "system" (silence) and "loopback" (what is
# played to it comes back, one period later). -S: synchronous, so that a late callback loses no sample.
# COMMAND sees JACK_DEFAULT_SERVER, JACKD_PID, and JACKD_START: a script that starts such a server once more after the
# first has ended (killed, say) and prints its process id once it is ready. COMMAND may kill and freeze what it likes.
# WITH_JACKD_TIMEOUT: seconds for COMMAND (default 120). Exit status: COMMAND's; 97 and 98: no server could be started.
set -u
if [ -z "${WITH_JACKD_INNER:-}" ]; then  # a private /dev/shm: JACK has 8 places for servers on a machine, and killed ones leave files
  if unshare -m true 2>/dev/null; then
    WITH_JACKD_INNER=private exec unshare -m --propagation private bash "$0" "$@"
  fi
  WITH_JACKD_INNER=shared exec bash "$0" "$@"
fi
if [ "$WITH_JACKD_INNER" = private ]; then
  mount -t tmpfs -o size=512m,mode=1777 none /dev/shm || exit 97
fi
unset WITH_JACKD_INNER  # a COMMAND that uses this script again gets a server of its own

period=256 rate=48000 channels=8 sync=
while getopts p:r:c:S option; do
  case $option in
    p) period=$OPTARG ;;
    r) rate=$OPTARG ;;
    c) channels=$OPTARG ;;
    S) sync=-S ;;
    *) sed -n 2,9p "$0" >&2; exit 64 ;;
  esac
done
shift $((OPTIND - 1))
[ "${1:-}" = -- ] && shift
[ $# -gt 0 ] || { sed -n 2,9p "$0" >&2; exit 64; }

folder=$(mktemp -d)
export JACK_DEFAULT_SERVER="continuo$$_$RANDOM" JACK_NO_START_SERVER=1 JACK_NO_AUDIO_RESERVATION=1
# No ALSA devices: the machine's own would be in the way.
printf 'pcm.nodev { type hw card 0 }\nctl.!default { type null }\n' >"$folder/alsa.conf"
export ALSA_CONFIG_PATH=$folder/alsa.conf
realtime="-R -P 70"
chrt -f 70 true 2>/dev/null || realtime=-r

export JACKD_START=$folder/start
cat >"$JACKD_START" <<SCRIPT
#!/bin/bash
# Three tries: on a busy machine a server now and then misses its own start.
for try in 1 2 3; do
  # The subshell stays to reap its server: to JACK a dead server that nobody waited for is still active.
  (
    jackd -n "$JACK_DEFAULT_SERVER" $realtime $sync -t 2000 -p 256 -L "$channels" \\
      -d dummy -r "$rate" -p "$period" -C "$channels" -P "$channels" &
    echo \$! >"$folder/pid.\$\$.\$try"
    wait
  ) >>"$folder/jackd.log" 2>&1 &
  until [ -s "$folder/pid.\$\$.\$try" ]; do sleep 0.01; done
  pid=\$(cat "$folder/pid.\$\$.\$try")
  for _ in {1..100}; do
    kill -0 \$pid 2>/dev/null || break
    if timeout 2 jack_lsp -s "$JACK_DEFAULT_SERVER" 2>/dev/null | grep -q '^loopback:'; then echo \$pid; exit 0; fi
    sleep 0.05
  done
  kill -9 \$pid 2>/dev/null
done
exit 98
SCRIPT
chmod +x "$JACKD_START"

finish() {
  status=$?
  trap - EXIT
  for pid in $(cat "$folder"/pid.* 2>/dev/null); do  # only those that this script started and that are still jackd
    grep -qx jackd "/proc/$pid/comm" 2>/dev/null || continue
    kill -CONT "$pid" 2>/dev/null
    kill "$pid" 2>/dev/null
    for _ in {1..40}; do kill -0 "$pid" 2>/dev/null || break; sleep 0.05; done
    kill -9 "$pid" 2>/dev/null
  done
  [ $status -eq 0 ] || { echo "--- jackd"; tail -n 20 "$folder/jackd.log"; } >&2
  rm -f /dev/shm/jack_"$JACK_DEFAULT_SERVER"_* /dev/shm/jack_sem.*_"$JACK_DEFAULT_SERVER"_*
  rm -rf "$folder"
  exit $status
}
trap finish EXIT
trap 'exit 143' TERM INT

JACKD_PID=$("$JACKD_START") || exit 98
export JACKD_PID
timeout -k 5 "${WITH_JACKD_TIMEOUT:-120}" "$@"
