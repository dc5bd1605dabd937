#!/bin/bash
# Who gets in, and as what: users of the socket, certificates, tokens, loopback; rules and certificates that change under a
# daemon that runs on.
. "$(dirname "$0")/../support/daemon.sh"
continuo() { timeout 60 "$CONTINUO_BIN/continuo" "$@"; }
certs() { CONTINUO_CERTS=$dir/certs timeout 60 "$CONTINUO_SUPPORT/../../deploy/continuo-certs" "$@" >"$dir/made" 2>&1 || die "certs $*: $(cat "$dir/made")"; }
certs init
certs server localhost 127.0.0.1 --days 400
certs client desk operator
certs client guest viewer
CONTINUO_CERTS=$dir/other timeout 60 "$CONTINUO_SUPPORT/../../deploy/continuo-certs" init >/dev/null 2>&1 || die "another authority"
CONTINUO_CERTS=$dir/other timeout 60 "$CONTINUO_SUPPORT/../../deploy/continuo-certs" client desk admin >/dev/null 2>&1 || die "its client"
cp "$dir/certs/ca.crt" "$dir/other/client-desk/ca.crt"
certs token foh engineer
sed -n 2p "$dir/made" >"$dir/token"
tail -n 1 "$dir/made" >"$dir/tokens"
echo wrong >"$dir/wrong"
rules() {
  cat >"$dir/continuod.toml" <<TOML
[access]
users = { $1 }
certificates = { $2 }
token_file = "$dir/tokens"
[tls]
certificate = "$dir/certs/server-localhost/server.crt"
key = "$dir/certs/server-localhost/server.key"
client_ca = "$dir/certs/ca.crt"
TOML
}
rules '' ''
daemon_start --device clock --listen 127.0.0.1:0
port=$(grep -o '127\.0\.0\.1:[0-9]*' "$dir/log" | head -n 1)
[ -n "$port" ] || die "no port: $(cat "$dir/log")"
desk="--server $port --tls $dir/certs/client-desk"

# The user that the daemon runs as is at home.
expect "the daemon's own user" continuo track add vox
# Certificates: a role each, and none without.
expect "an operator plays" continuo $desk play
expect_exit 77 "certificate desk is ROLE_OPERATOR" continuo $desk track add drums
expect "by its name" continuo --server "localhost:${port#*:}" --tls "$dir/certs/client-guest" status
expect_exit 77 "certificate guest is ROLE_VIEWER" continuo --server "$port" --tls "$dir/certs/client-guest" stop
expect_exit 77 "hangs up" continuo --server "$port" --timeout 3 status
expect_exit 77 "hangs up" continuo --server "$port" --timeout 3 --tls "$dir/other/client-desk" status
cp -r "$dir/certs/client-desk" "$dir/misled"
cp "$dir/other/ca.crt" "$dir/misled/ca.crt"
expect_exit 77 "certificate verify failed" continuo --server "$port" --timeout 3 --tls "$dir/misled" status
expect_exit 69 "no daemon answers" continuo --server 127.0.0.1:1 --timeout 3 status
expect_exit 77 "asks for a certificate" env XDG_CONFIG_HOME="$dir" continuo --server 192.0.2.1:4747 status
# Tokens say more than the connection.
expect "a token over TLS" continuo $desk --token-file "$dir/token" track add drums
expect_exit 77 "none that the daemon knows" continuo --token-file "$dir/wrong" status
: >"$dir/tokens"
refused() { continuo --token-file "$dir/token" status; [ $? -eq 77 ]; }
within 10 refused || fail "a token that was taken away still lets in"

# Rules that change: for connections that there are, too.
timeout 60 "$CONTINUO_BIN/continuo" $desk watch --json >"$dir/watched" 2>&1 &
watcher=$!
within 10 grep -q . "$dir/watched" || fail "the operator cannot watch"
rules "\"$(id -un)\" = \"viewer\"" 'desk = "none"'
kill -HUP "$DAEMON_PID"
within 10 grep -q "read anew" "$dir/log" || fail "SIGHUP is not heard"
expect_exit 77 "is ROLE_VIEWER" continuo track add later
expect_exit 77 "access.certificates gives it the role none" continuo $desk status
printf '[access]\nusers = { anna = "queen" }\n' >"$dir/continuod.toml"
kill -HUP "$DAEMON_PID"
within 10 grep -q "stay as they were" "$dir/log" || fail "wrong rules are not told"
expect_exit 77 "is ROLE_VIEWER" continuo track add later
within 20 grep -q "the role none" "$dir/watched" || fail "who was shut out watches on: $(tail -n 2 "$dir/watched")"
kill "$watcher" 2>/dev/null; wait "$watcher" 2>/dev/null

# A certificate that ends soon is a reason of the status, and its successor serves without a restart.
rules '' ''
kill -HUP "$DAEMON_PID"
expect "back at home" within 10 continuo track add later
before=$(openssl x509 -in "$dir/certs/server-localhost/server.crt" -noout -serial)
certs server localhost 127.0.0.1 --days 20
served() { openssl s_client -connect "$port" -cert "$dir/certs/client-desk/client.crt" -key "$dir/certs/client-desk/client.key" </dev/null 2>/dev/null | openssl x509 -noout -serial; }
renewed() { [ "$(served)" != "$before" ]; }
within 30 renewed || fail "the new certificate is not served"
expect "the new certificate lets in" continuo $desk status
daemon_stop
daemon_start --device clock --listen 127.0.0.1:0
within 10 sh -c 'timeout 10 continuo status | grep -q "server.crt ends in 19 days"' || { fail "nobody is warned"; continuo status; }
daemon_stop

# What would be open to the network is refused before anything starts.
printf '[server]\nlisten = ["0.0.0.0:4747"]\n' >"$dir/continuod.toml"
expect_exit 78 "off the loopback clients need certificates" continuod --config "$dir/continuod.toml" --check-config
rules '' ''
cp "$dir/certs/client-desk/client.key" "$dir/certs/server-localhost/server.key"
expect_exit 78 "is not the key of" timeout 20 continuod --config "$dir/continuod.toml" --device clock --state-folder "$dir/state" --listen "unix:$dir/two"
# Without TLS a port of loopback is nobody's, but for a token.
: >"$dir/continuod.toml"
echo "foh viewer $(tr -d '\n' <"$dir/token" | sha256sum | cut -d' ' -f1)" >"$dir/tokens"
: >"$dir/log"
daemon_start --device clock --listen 127.0.0.1:0 --token-file "$dir/tokens"
port=$(grep -o '127\.0\.0\.1:[0-9]*' "$dir/log" | head -n 1)
expect_exit 77 "asks for a token" continuo --server "$port" status
expect "a token on loopback" continuo --server "$port" --token-file "$dir/token" status
expect_exit 77 "token foh is ROLE_VIEWER" continuo --server "$port" --token-file "$dir/token" play
daemon_stop
