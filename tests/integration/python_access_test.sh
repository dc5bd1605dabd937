#!/bin/bash
# The Python client shows who it is: certificates and tokens, by arguments and by the environment, for threads and asyncio.
. "$(dirname "$0")/../support/daemon.sh"
. "$CONTINUO_SUPPORT/python_package.sh"
certs() { CONTINUO_CERTS=$dir/certs timeout 60 "$repository/deploy/continuo-certs" "$@" >"$dir/made" 2>&1 || die "certs $*: $(cat "$dir/made")"; }
certs init
certs server localhost 127.0.0.1
certs client desk operator
certs token foh engineer
sed -n 2p "$dir/made" >"$dir/token"
tail -n 1 "$dir/made" >"$dir/tokens"
cat >"$dir/continuod.toml" <<TOML
[access]
token_file = "$dir/tokens"
[tls]
certificate = "$dir/certs/server-localhost/server.crt"
key = "$dir/certs/server-localhost/server.key"
client_ca = "$dir/certs/ca.crt"
TOML
daemon_start --device clock --listen 127.0.0.1:0
PORT=$(grep -o '127\.0\.0\.1:[0-9]*' "$dir/log" | head -n 1)
[ -n "$PORT" ] || die "no port: $(cat "$dir/log")"
export PORT DESK=$dir/certs/client-desk TOKEN=$dir/token
python_tests test_access
daemon_stop
exit $failures
