#!/bin/bash
# Strangers who reach the loopback port and send what never ends: each is cut off, the daemon's memory stays what it was, and
# clients are served meanwhile.
. "$(dirname "$0")/../support/daemon.sh"
daemon_start --device clock --listen 127.0.0.1:0
port=$(grep -o '127\.0\.0\.1:[0-9]*' "$dir/log" | head -n 1)
[ -n "$port" ] || die "no port: $(cat "$dir/log")"
cat >"$dir/flood.py" <<'PY'
import socket, struct, sys

def frame(kind, flags, stream, body=b""):
    return struct.pack(">I", len(body))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + body

def resident_mib():
    return int(open(f"/proc/{sys.argv[2]}/statm").read().split()[1]) * 4096 >> 20

HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0)
KEY = b"\x00\x04aaaa"  # a header's name; what follows is its value
FLOODS = {  # what is said first, then again and again
    "headers without an end": (HELLO + frame(1, 0, 1, KEY + b"\x7f\xff\xff\xff\x7f"), lambda i: frame(9, 0, 1, b"\0" * 16384)),
    "requests, settings never acknowledged": (HELLO, lambda i: frame(1, 4, 2 * i + 1, KEY + b"\x7f\x80\x20" + b"b" * 4223)),
    "another protocol": (b"", lambda i: b"GET / HTTP/1.1\r\n\r\n"),
}
host, port = sys.argv[1].rsplit(":", 1)
before = resident_mib()
for name, (first, more) in FLOODS.items():
    with socket.create_connection((host, int(port)), timeout=30) as stranger:
        try:
            stranger.sendall(first)
            for i in range(20000):
                stranger.sendall(more(i))
        except ConnectionError:
            pass
        else:
            sys.exit(f"{name}: 20000 of them were taken")
after = resident_mib()
if after > before + 40:
    sys.exit(f"from {before} to {after} MiB")
PY
timeout 120 /usr/bin/python3 "$dir/flood.py" "$port" "$DAEMON_PID" >"$dir/flooded" 2>&1 || fail "$(cat "$dir/flooded")"
expect "a client" continuo track add vox
expect_exit 77 "asks for a token" continuo --server "$port" status
told() { continuo events | grep -q "cut off"; }
within 20 told || fail "the journal says nothing of it: $(continuo events)"
daemon_stop
exit $failures
