# Sourced by the tests that boot continuod: a private daemon in a private folder, ended at exit whatever happens.
# CONTINUO_BIN names the folder of the programs. After daemon_start: DAEMON_PID, CONTINUO_SERVER, and in $dir the folders
# media (root "media"), takes (root "takes") and state, and the log.
set -u
export LC_ALL=C
: "${CONTINUO_BIN:?the folder of the programs}"
CONTINUO_SUPPORT=${CONTINUO_SUPPORT:-$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")}
PATH=$CONTINUO_BIN:$PATH
for variable in "${!CONTINUO_@}"; do
  case $variable in CONTINUO_BIN | CONTINUO_SUPPORT) ;; *) unset "$variable" ;; esac
done
dir=$(mktemp -d /tmp/continuo-test.XXXXXX)
mkdir "$dir"/{media,takes,state}
: >"$dir/continuod.toml"
DAEMON_PID=
failures=0

# say what is wrong and go on; the test fails at its end.
fail() { echo "FAIL: $*"; failures=$((failures + 1)); }
# say what is wrong and end here.
die() { fail "$@"; exit 1; }
# skip WHY: this machine lacks what the test needs. CTest counts it as skipped. Before daemon_start.
skip() { echo "skipped: $*"; trap - EXIT; rm -rf "$dir"; exit 77; }
# expect WHAT COMMAND...: the command must succeed.
expect() { local what=$1; shift; "$@" >"$dir/said" 2>&1 || { fail "$what: exit $?"; cat "$dir/said"; }; }
# expect_exit CODE TEXT COMMAND...: it must end with this code and say this.
expect_exit() {
  local want=$1 text=$2 code; shift 2
  "$@" >"$dir/said" 2>&1; code=$?
  [ $code -eq "$want" ] || { fail "'$*' ended with $code, not $want"; cat "$dir/said"; }
  grep -qF -- "$text" "$dir/said" || { fail "'$*' does not say '$text'"; cat "$dir/said"; }
}
# within SECONDS COMMAND...: it must succeed within this time. For what has no event to wait for.
within() {
  local left=$((${1} * 20)); shift
  until "$@" >/dev/null 2>&1; do left=$((left - 1)); [ $left -gt 0 ] || return 1; sleep 0.05; done
}
# json PATH: the value at a path of a JSON text on stdin ("device.name", "takes.0.file"); fails where there is none.
json() {
  python3 -c 'import json, sys
value = json.load(sys.stdin)
for step in sys.argv[1].split("."): value = value[int(step) if isinstance(value, list) else step]
print(str(value).lower() if isinstance(value, bool) else value)' "$1"
}

# daemon_start [FLAG...]: on the clock device unless a flag says otherwise. Returns once it is ready.
daemon_start() {
  export CONTINUO_SERVER=unix:$dir/socket
  continuod --config "$dir/continuod.toml" --listen "$CONTINUO_SERVER" --state-folder "$dir/state" --take-folder "$dir/takes" \
    --media-root "media=$dir/media" "${@:---device=clock}" >>"$dir/log" 2>&1 &
  DAEMON_PID=$!
  within 20 daemon_ready && kill -0 "$DAEMON_PID" 2>/dev/null || die "continuod does not start: $(tail -n 5 "$dir/log")"
}
daemon_ready() { kill -0 "$DAEMON_PID" 2>/dev/null || return 0; continuo health; }
daemon_ended() { [ ! -d "/proc/$DAEMON_PID" ] || grep -q '^[0-9]* (.*) Z' "/proc/$DAEMON_PID/stat"; }
# daemon_stop [SECONDS]: SIGTERM; it must be gone within that time (5), with exit code 0.
daemon_stop() {
  local limit=${1:-5} begin=$EPOCHREALTIME code took
  kill -TERM "$DAEMON_PID"
  within $((limit + 10)) daemon_ended || kill -KILL "$DAEMON_PID"
  wait "$DAEMON_PID"; code=$?
  took=$(awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }')
  DAEMON_PID=
  [ $code -eq 0 ] || fail "continuod ended with $code: $(tail -n 5 "$dir/log")"
  awk -v t="$took" -v l="$limit" 'BEGIN { exit !(t <= l) }' || fail "continuod took $took s to end"
  echo "continuod ended after $took s"
}
finish() {
  local code=$?
  [ -z "$DAEMON_PID" ] || { kill -KILL "$DAEMON_PID" 2>/dev/null; wait "$DAEMON_PID" 2>/dev/null; }
  [ $code -eq 0 ] && [ $failures -eq 0 ] || { echo "--- the daemon's log"; tail -n 30 "$dir/log" 2>/dev/null; code=1; }
  rm -rf "$dir"
  exit $code
}
trap finish EXIT
trap 'exit 143' TERM INT
