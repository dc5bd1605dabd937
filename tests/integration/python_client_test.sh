#!/bin/bash
# The Python client: installs offline, is typed, and does against a daemon what it says, also where the way to it breaks; its
# examples and the start of its page run as they stand there.
. "$(dirname "$0")/../support/daemon.sh"
. "$CONTINUO_SUPPORT/python_package.sh"
python_tests test_parts test_document test_watch
daemon_start
python_tests test_client test_broken_ways test_async test_lease test_jobs test_param_stream test_metering test_examples

# The page's start, as it stands there.
"$CONTINUO_SUPPORT/wav.py" make "$dir/media/song.wav" 2 96000 || die "cannot write the song"
awk '/^## / { on = $0 == "## Start" } on && /^    / { print substr($0, 5) }' "$repository/clients/python/README.md" | sed -n '/^import/,$p' >"$dir/start.py"
[ "$(wc -l <"$dir/start.py")" -ge 15 ] || fail "the page has no start"
(cd "$dir" && timeout 60 $PYTHON start.py >said.start 2>&1) || fail "the page's start: exit $?, $(cat "$dir/said.start")"
grep -qE '^heard from engine frame ([0-9]+|None)$' "$dir/said.start" || fail "the page's start says: $(cat "$dir/said.start")"
daemon_stop

# What comes without what it needs.
expect_exit 66 "no continuo/v1/*.proto" env CONTINUO_PROTO="$dir/media" "$PYTHON" "$dir/python/generate" "$dir/none"
mkdir "$dir/empty"
expect_exit 69 "grpc_python_plugin" env PATH="$dir/empty" "$PYTHON" -S "$dir/python/generate" "$dir/none"
expect_exit 69 "NO_SERVER" env CONTINUO_SERVER="unix:$dir/gone" \
  "$PYTHON" "$repository/clients/python/examples/record_a_take.py"

# Every function says its types, and a program that gets one wrong is told.
if $PYTHON -m mypy --version >/dev/null 2>&1; then
  cd "$dir/site" || exit 1
  mypy() { MYPYPATH=$dir/site $PYTHON -m mypy --config-file "$dir/python/pyproject.toml" --cache-dir "$dir/types" "$@"; }
  expect "types" mypy -p continuo
  printf 'import continuo\nwith continuo.Client() as client:\n    client.set("vox.gain_db", None)\n' >"$dir/wrong.py"
  expect_exit 1 'Argument 2 to "set" of "Client" has incompatible type' mypy "$dir/wrong.py"
else
  fail "mypy is not installed"
fi
exit $failures
