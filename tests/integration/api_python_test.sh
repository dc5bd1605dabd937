#!/bin/bash
# The README's Python client, as it stands there, made from `continuo api export` alone, against a daemon.
. "$(dirname "$0")/../support/daemon.sh"
. "$CONTINUO_SUPPORT/readme_block.sh"
# Debian's packages belong to Debian's Python, whatever else comes first on the path.
/usr/bin/python3 -c 'import grpc, google.protobuf' 2>/dev/null || skip "python3-grpcio is not installed"
readme_client client.py 30
cd "$dir" || exit 1
daemon_start
expect "export" continuo api export api
timeout 60 /usr/bin/python3 -B client.py >said.1 2>&1 || fail "client.py: exit $?, $(cat said.1)"
readme_client_said said.1
# Once more: what is there already is told, and the client goes on.
timeout 60 /usr/bin/python3 -B client.py >said.2 2>&1 || fail "client.py, again: exit $?, $(cat said.2)"
grep -q '^ALREADY_EXISTS .*hum' said.2 || fail "the refusal: $(cat said.2)"
readme_client_said said.2
daemon_stop
exit $failures
