"""Which daemon to speak to, and what it is shown of who we are: as the `continuo` program decides it."""

from __future__ import annotations

import os
import pathlib
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass

import grpc

from .errors import NoServerError, NotFoundError, BadDataError, RefusedError, UsageError

# Messages of the API are below 4 MiB but for a status of many takes; a web proxy is not a way to the daemon; and a
# daemon that restarts is found again within a second. Each client has connections of its own.
CHANNEL_OPTIONS: tuple[tuple[str, int | str], ...] = (
    ("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1), ("grpc.max_receive_message_length", 64 << 20),
    ("grpc.initial_reconnect_backoff_ms", 100), ("grpc.min_reconnect_backoff_ms", 2000),
    ("grpc.max_reconnect_backoff_ms", 1000), ("grpc.primary_user_agent", "continuo-python"),
)
# Of a channel for streams of which the newest message counts. The transport passes on at once as much as the window takes,
# 64 KB and more unless it is told: hundreds of old frames before the daemon learns that the reader is slow. So small it
# takes one.
NEWEST_FIRST: tuple[tuple[str, int | str], ...] = (("grpc.http2.lookahead_bytes", 64), ("grpc.http2.bdp_probe", 0))


@dataclass(frozen=True)
class Identity:
    """What a client shows. Over a Unix socket the daemon knows the user by itself; both may be None.

    token_file: its first line goes with every call. tls: the folder of ca.crt, client.crt and client.key that
    `continuo-certs` makes."""

    token_file: pathlib.Path | None = None
    tls: pathlib.Path | None = None


def default_sockets(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Where a daemon of the user or of the system listens, in the order of the search."""
    runtime = environment.get("XDG_RUNTIME_DIR", "")
    found = [f"{runtime}/continuo/continuo.sock"] if runtime else []
    return [*found, f"/tmp/continuo-{os.getuid()}/continuo.sock", "/run/continuo/continuo.sock"]


def find_server(server: str | None = None, environment: Mapping[str, str] = os.environ) -> str:
    """As gRPC names it: "unix:/path" or "host:port". `server`, else $CONTINUO_SERVER, else the first socket that is there.

    NoServerError where there is none; UsageError for what is no address."""
    if server:
        return _as_target(server, "server")
    if environment.get("CONTINUO_SERVER"):
        return _as_target(environment["CONTINUO_SERVER"], "CONTINUO_SERVER")
    sockets = default_sockets(environment)
    for socket in sockets:
        if _is_socket(socket):
            return "unix:" + socket
    raise NoServerError(f"no daemon found at {', '.join(sockets)}; start continuod, or say where it is", "NO_SERVER")


def is_local(address: str) -> bool:
    """A Unix socket, or a port that no other machine reaches."""
    return address.startswith(("unix:", "127.", "[::1]:", "localhost:"))


def find_identity(address: str, token_file: str | os.PathLike[str] | None = None,
                  tls: str | os.PathLike[str] | None = None, environment: Mapping[str, str] = os.environ) -> Identity:
    """The arguments, else $CONTINUO_TOKEN_FILE and $CONTINUO_TLS; off the loopback, where every daemon asks for a
    certificate, else $XDG_CONFIG_HOME/continuo/tls."""
    token = token_file or environment.get("CONTINUO_TOKEN_FILE") or None
    folder = tls or environment.get("CONTINUO_TLS") or None
    if address.startswith("unix:"):
        folder = None
    elif folder is None and not is_local(address):
        home = environment.get("XDG_CONFIG_HOME") or os.path.join(environment.get("HOME", ""), ".config")
        usual = pathlib.Path(home) / "continuo" / "tls"
        folder = usual if usual.exists() else None
    return Identity(pathlib.Path(token) if token else None, pathlib.Path(folder) if folder else None)


def read_token(file: pathlib.Path) -> str:
    """The first line. BadDataError unless it is 1 to 1000 characters without a space."""
    line = re.split(r"[\r\n]", _read(file).decode("utf-8", "replace"), maxsplit=1)[0]
    if not line or len(line) > 1000 or " " in line or "\t" in line:
        raise BadDataError(f"{file} does not begin with a token", "BAD_TOKEN", str(file))
    return line


def call_metadata(identity: Identity) -> tuple[tuple[str, str], ...]:
    """What goes with every call."""
    if identity.token_file is None:
        return ()
    return (("authorization", "Bearer " + read_token(identity.token_file)),)


def channel_options(address: str) -> list[tuple[str, int | str]]:
    """A socket's path is no host name that could be checked; any will do."""
    return [*CHANNEL_OPTIONS, *([("grpc.default_authority", "localhost")] if address.startswith("unix:") else [])]


def credentials(address: str, identity: Identity) -> grpc.ChannelCredentials | None:
    """None: a channel without TLS. RefusedError where a token would go over the network in the clear."""
    if identity.tls is None:
        if not is_local(address):
            raise RefusedError("a daemon on another machine asks for a certificate: say with `tls` where the folder is "
                               "that continuo-certs made", "NO_CERTIFICATE", "tls")
        return None
    return grpc.ssl_channel_credentials(_read(identity.tls / "ca.crt"), _read(identity.tls / "client.key"),
                                        _read(identity.tls / "client.crt"))


def _as_target(address: str, source: str) -> str:
    if address.startswith("unix:"):
        path = address[5:].removeprefix("//")
        if path:
            return "unix:" + os.path.abspath(path)
    elif address.startswith(("/", "./")):
        return "unix:" + os.path.abspath(address)
    elif re.fullmatch(r".+:[0-9]+", address):
        return address
    raise UsageError(f"'{address}' is not an address; write unix:/path/to/socket or host:port", "BAD_ADDRESS", source)


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False


def _read(file: pathlib.Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise NotFoundError(f"cannot read {file}: {error.strerror}", "FILE_NOT_READABLE", str(file)) from error
