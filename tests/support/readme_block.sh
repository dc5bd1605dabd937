# Sourced by the tests of what the README shows. readme_block HEADING: the indented lines below that heading, of any level, with the
# empty ones between them, up to the next heading.
readme_block() {
  awk -v want="$1" '/^#+ / { on = $0 == want; pending = ""; next }
    on && /^    / { printf "%s%s\n", begun ? pending : "", substr($0, 5); begun = 1; pending = ""; next }
    on && /^$/ { pending = pending "\n"; next }
    { pending = "" }' "$(dirname "$(dirname "$CONTINUO_SUPPORT")")/README.md"
}

# readme_client FILE MOST: the program of that name, of at most so many lines, into $dir.
readme_client() {
  readme_block "### $1" >"$dir/$1"
  local length; length=$(wc -l <"$dir/$1")
  [ "$length" -gt 10 ] && [ "$length" -le "$2" ] || die "README: $1 has $length lines"
}

# readme_client_said FILE: what both clients print: who answers, when the level changed, and ten frames of meters that sound.
readme_client_said() {
  grep -qx "continuod $(continuo version --json | json daemon.version)" "$1" || fail "the version: $(cat "$1")"
  grep -qE '^revision [0-9]+ is heard from engine frame [0-9]+ on$' "$1" || fail "no frame: $(cat "$1")"
  [ "$(grep -cE '^hum +-[0-9]+\.[0-9] +-[0-9]+\.[0-9] dBFS$' "$1")" -eq 10 ] || fail "not ten frames of meters: $(cat "$1")"
  # -20 dB, -6 dB and 3 dB by the pan's law, once the ramp is over.
  tail -n 1 "$1" | grep -qE '^hum +-29\.0 +-29\.0 dBFS$' || fail "the last level: $(cat "$1")"
  continuo get hum.gain_db | grep -q -- -6 || fail "the gain was not set"
}
