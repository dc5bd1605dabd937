#!/bin/bash
# install_test.sh BUILD_DIR: `cmake --install` puts everything in its place, the installed programs run from there, the unit
# files are sound, and the example of the configuration is one that the daemon reads.
set -u
build=$1
prefix=$(mktemp -d) && trap 'rm -rf "$prefix"' EXIT
failed=0
fail() { echo "$*"; failed=1; }

DESTDIR= cmake --install "$build" --prefix "$prefix" >"$prefix/log" 2>&1 || { cat "$prefix/log"; exit 1; }
for file in bin/continuod bin/continuo bin/continuo-render share/continuo/proto/continuo/v1/session.proto \
            share/continuo/continuod.toml lib/systemd/system/continuod.service lib/systemd/user/continuod.service \
            share/continuo/examples/playback-rack/README.md share/continuo/examples/32-track-recorder/README.md \
            lib/sysusers.d/continuo.conf share/bash-completion/completions/continuo; do
  [ -s "$prefix/$file" ] || fail "not installed: $file"
done
find "$prefix/share/doc" -name LICENSE -o -name README.md | grep -c . | grep -qx 2 || fail "LICENSE or README.md is not installed"
find "$prefix" -name '*.a' -o -name '*.hpp' -o -name 'test_*' | grep . && fail "these are no business of a user"

for program in continuod continuo continuo-render; do
  "$prefix/bin/$program" --version >"$prefix/said" 2>&1 || { fail "$program --version does not run:"; cat "$prefix/said"; }
done
ldd "$prefix/bin/continuo-render" | grep -E 'portaudio|grpc' && fail "continuo-render links a sound device or gRPC"
ldd "$prefix/bin/continuo" | grep -E 'portaudio|sndfile' && fail "continuo links a sound device or a sound file library"

# The example as it is, and with every line in force. Its folders are not this machine's: moved below the prefix.
example=$prefix/share/continuo/continuod.toml
sed -E 's/^#([a-z_]+ = )/\1/' "$example" | sed -E "s#\"/(var|srv)/#\"$prefix/\1/#g; s#unix:/run#unix:$prefix/run#" >"$prefix/all.toml"
[ "$(grep -cE '^[a-z_]+ = ' "$prefix/all.toml")" -ge 15 ] || fail "the example shows too few settings"
for file in "$example" "$prefix/all.toml"; do
  "$prefix/bin/continuod" --check-config --config "$file" >"$prefix/said" 2>&1 || { fail "continuod refuses $file:"; cat "$prefix/said"; }
done
# It shows every setting that there is.
"$prefix/bin/continuod" --print-config --config "$example" | sed -nE 's/^(# )?([a-z_]+) = .*/\2/p' | sort -u >"$prefix/known"
grep -oE '^#?[a-z_]+ = ' "$example" | tr -d '#= ' | sort -u >"$prefix/shown"
comm -23 "$prefix/known" "$prefix/shown" | grep . && fail "settings that the example does not show"

unit=$prefix/lib/systemd/system/continuod.service
for file in "$unit" "$prefix/lib/systemd/user/continuod.service"; do
  grep -q "^ExecStart=$prefix/bin/continuod\$" "$file" || fail "$file does not start the installed program"
  grep -qE '@[A-Za-z_]+@' "$file" && fail "$file: a variable was not filled in"
done
systemd-analyze verify --man=no "$unit" >"$prefix/said" 2>&1 || { fail "systemd refuses the unit:"; cat "$prefix/said"; }
grep 'continuod.service' "$prefix/said" && fail "systemd has something to say about the unit"
for limit in LimitRTPRIO LimitMEMLOCK Restart Type=notify TimeoutStopSec; do
  grep -q "^$limit" "$unit" || fail "the unit has no $limit"
done
exit $failed
