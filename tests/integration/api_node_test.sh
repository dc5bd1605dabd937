#!/bin/bash
# The README's Node client, as it stands there, made from `continuo api export` and the two locked packages of clients/node,
# against a daemon. Skipped where Node or npm's registry is not to be had; a lock file that does not fit is a failure.
. "$(dirname "$0")/../support/daemon.sh"
. "$CONTINUO_SUPPORT/readme_block.sh"
home=$(dirname "$(dirname "$CONTINUO_SUPPORT")")/clients/node
grep -oE '(https?|git|file):[^"]*' "$home/package-lock.json" | grep -v '^https://registry.npmjs.org/' && fail "the lock file names a host"
readme_client client.mjs 30
node -e 'process.exit(process.versions.node.split(".")[0] >= 18 ? 0 : 1)' 2>/dev/null || skip "no Node 18 or newer"
command -v npm >/dev/null || skip "no npm"
cp "$home/package.json" "$home/package-lock.json" "$dir" && cd "$dir" || exit 1
if ! timeout 150 npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --cache "$dir/npm" --fetch-retries 1 --fetch-timeout 30000 >npm.log 2>&1; then
  grep -qE 'EINTEGRITY|EUSAGE|EJSONPARSE' npm.log && die "npm refuses the lock file: $(cat npm.log)"
  [ $failures -eq 0 ] || exit 1
  skip "npm cannot install the locked packages: $(grep -m 1 -i 'err' npm.log)"
fi
daemon_start
expect "export" continuo api export api
timeout 60 node client.mjs >said.1 2>&1 || fail "client.mjs: exit $?, $(cat said.1)"
readme_client_said said.1
timeout 60 node client.mjs >said.2 2>&1 || fail "client.mjs, again: exit $?, $(cat said.2)"
grep -q '^ALREADY_EXISTS .*hum' said.2 || fail "the refusal: $(cat said.2)"
readme_client_said said.2
daemon_stop
exit $failures
