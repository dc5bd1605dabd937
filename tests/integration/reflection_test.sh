#!/bin/bash
# A client that has nothing but reflection lists, reads, sets and watches.
. "$(dirname "$0")/../support/daemon.sh"
/usr/bin/python3 -c 'import grpc, google.protobuf' 2>/dev/null || skip "python3-grpcio is not installed"
cd "$dir" || exit 1
client=$(dirname "$CONTINUO_SUPPORT")/clients/reflection_client.py
daemon_start
timeout 300 /usr/bin/python3 -B "$client" "$CONTINUO_SERVER" >said 2>&1 || fail "exit $?: $(cat said)"
grep -q ' services, .* types$' said || fail "it said: $(cat said)"
daemon_stop
exit $failures
