"""include_rules.py ROOT: every #include of every room is one that the table below allows.

The table is the dependency rule of the house. A change of it is a change of the architecture: say why in the commit."""

import os
import re
import sys

import tree

# The outside world, by who provides it.
LIBRARIES = {
    "fmt": r"spdlog/fmt/.*|fmt/.*",
    "spdlog": r"spdlog/.*",
    "toml": r"toml\+\+/.*|toml\.hpp",
    "portaudio": r"portaudio\.h|pa_.*\.h",
    "sndfile": r"sndfile\.h(h)?",
    "flac": r"FLAC/.*",
    "soxr": r"soxr\.h",
    "crypto": r"openssl/.*\.h",
    "sqlite": r"sqlite3\.h",
    "kissfft": r"kissfft/.*|kiss_fft.*",
    "ebur128": r"ebur128\.h",
    "asio": r"boost/asio.*|boost/system/.*",
    "protobuf": r"google/protobuf/.*",
    "proto": r"continuo/v1/[a-z_]+\.pb\.h",
    "grpc": r"grpc/.*|grpcpp/.*|continuo/v1/[a-z_]+\.grpc\.pb\.h|google/rpc/.*",
    "cli11": r"CLI/.*",
    "doctest": r"doctest/.*",
    "rapidcheck": r"rapidcheck(/.*|\.h)",
    "benchmark": r"benchmark/.*",
    "intrinsics": r"immintrin\.h|x86intrin\.h|emmintrin\.h|xmmintrin\.h|pmmintrin\.h|cpuid\.h",
    "sanitizer": r"sanitizer/.*",
    "jack": r"jack/.*",
    "posix": r"(sys|linux|arpa|net|netinet)/.*\.h|(unistd|dirent|fcntl|netdb|pthread|sched|signal|spawn|dlfcn|poll|errno|time|ftw|malloc|syslog|pwd|grp|glob|getopt|termios|link|execinfo|alloca|langinfo|locale|stdlib|stdio|string)\.h",
}

# Standard headers that wait, start threads, read clocks, open files or hide an allocation behind a call.
NOT_ON_THE_AUDIO_THREAD = set(
    "barrier chrono condition_variable ctime filesystem format fstream functional future iostream istream latch list locale map "
    "mutex ostream regex semaphore set shared_mutex sstream stop_token streambuf syncstream thread unordered_map "
    "unordered_set cstdio deque any".split())
# The session is values: no threads, no clock, no device.
NOT_IN_THE_SESSION = set("barrier chrono condition_variable ctime future latch mutex semaphore shared_mutex stop_token thread".split())

# Room (the longest prefix wins) -> project folders, libraries, standard headers that it may not include.
TABLE = {
    "rt/": (("rt/",), ("intrinsics",), NOT_ON_THE_AUDIO_THREAD),
    "rt/annotations.hpp": ((), ("sanitizer",), NOT_ON_THE_AUDIO_THREAD),
    "server/base/": (("server/base/",), ("spdlog", "fmt", "toml", "cli11", "posix"), set()),
    "server/device/": (("server/device/", "rt/", "server/base/"), ("portaudio", "fmt", "posix", "intrinsics"), set()),
    "server/media/": (("server/media/", "rt/", "server/base/"), ("sndfile", "soxr", "fmt", "posix"), set()),
    # Measures of audio: pure objects, for the analysis thread and for files.
    "server/analysis/": (("server/analysis/", "rt/dsp/", "rt/types.hpp", "server/base/"), ("intrinsics",), NOT_ON_THE_AUDIO_THREAD),
    "server/session/": (("server/session/", "rt/", "server/base/"), ("proto", "protobuf"), NOT_IN_THE_SESSION),
    # Control knows devices by their interface alone, and of the contract the messages: gRPC stays in rpc/.
    "server/control/": (("server/control/", "server/analysis/", "server/session/", "rt/", "server/base/", "server/media/", "server/journal/",
                         "server/device/device.hpp",
                         "server/device/memory_lock.hpp", "server/device/render_workers.hpp", "server/device/ticks.hpp"),
                        ("asio", "proto", "protobuf", "fmt", "posix"), set()),
    "server/render/": (("server/render/", "server/analysis/", "server/session/", "server/media/", "rt/", "server/base/"), ("fmt", "posix"), set()),
    "server/media/flac_": (("server/media/", "server/base/"), ("flac",), set()),
    "server/media/sha256": (("server/media/", "server/base/"), ("crypto",), set()),
    "server/render/arguments": (("server/render/", "server/media/", "server/base/"), ("cli11", "posix"), set()),
    "server/rpc/": (("server/rpc/", "server/control/", "server/journal/", "server/session/", "server/base/"),
                    ("proto", "protobuf", "grpc", "fmt", "posix"), set()),
    "server/rpc/tls": (("server/rpc/", "server/base/"), ("grpc", "crypto"), set()),
    "server/rpc/tokens": (("server/rpc/", "server/base/"), ("crypto", "posix"), set()),
    "server/journal/": (("server/journal/", "server/base/"), ("proto", "protobuf", "posix"), set()),
    "server/journal/store": (("server/journal/", "server/base/"), ("proto", "protobuf", "sqlite", "posix"), set()),
    "server/main.cpp": (("server/", "rt/"), ("cli11", "posix", "asio"), set()),
    "clients/": (("clients/",), ("proto", "protobuf", "grpc", "cli11", "posix"), set()),
    "clients/cli/sha256": (("clients/",), ("crypto",), set()),
    # A test may look at its own room and at what helps tests. Only rpc/, integration/ and support/ speak gRPC.
    "tests/": (("rt/", "server/", "tests/"),
               ("doctest", "rapidcheck", "benchmark", "proto", "protobuf", "asio", "sndfile", "flac", "toml", "spdlog", "posix", "intrinsics",
                "sanitizer", "kissfft"), set()),
    "tests/server/analysis/": (("rt/", "server/analysis/", "server/base/", "tests/"), ("doctest", "ebur128", "posix"), set()),
    "tests/bench/bench_measure": (("rt/", "server/", "tests/"), ("benchmark", "ebur128", "posix"), set()),
    "tests/server/device/": (("rt/", "server/device/", "server/base/", "tests/"), ("doctest", "portaudio", "posix", "intrinsics"), set()),
    "tests/device/": (("rt/", "server/device/", "server/base/", "tests/"), ("doctest", "portaudio", "sndfile", "jack", "posix"), set()),
    "tests/bench/bench_control": (("tests/",), ("proto", "protobuf", "grpc", "posix"), set()),
    "tests/server/rpc/": (("rt/", "server/", "tests/"), ("doctest", "proto", "protobuf", "grpc", "asio", "posix"), set()),
    "tests/integration/": (("tests/",), ("doctest", "proto", "protobuf", "grpc", "sndfile", "crypto", "posix"), set()),
    "tests/clients/": (("clients/", "tests/"), ("doctest", "proto", "protobuf", "grpc", "cli11", "posix"), set()),
}
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')


def rule_of(name):
    prefixes = [prefix for prefix in TABLE if name.startswith(prefix)]
    return TABLE[max(prefixes, key=len)] if prefixes else None


def library_of(header):
    for library, pattern in LIBRARIES.items():
        if re.fullmatch(pattern, header):
            return library
    return None


def judge(name, header, quoted, root):
    """None where it is allowed, else why not."""
    folders, libraries, not_allowed = rule_of(name)
    if os.path.isfile(os.path.join(root, header)):
        if not quoted:
            return f"<{header}> is ours: use quotes"
        return None if header.startswith(folders) else f'"{header}" is a room that this one may not know'
    library = library_of(header)
    if library:
        return None if library in libraries else f"<{header}> belongs to {library}, which this room may not know"
    if quoted:
        return f'"{header}": no such file from the root of the project'
    if "/" in header or header.endswith(".h"):
        return f"<{header}> is in no library of the table: add it there, or use the C++ header"
    return f"<{header}> may not be used in this room" if header in not_allowed else None


def main():
    root = sys.argv[1]
    findings, looked_at = [], 0
    for name in tree.files(root, ".hpp", ".cpp"):
        if not rule_of(name):
            findings.append(f"{name}: in no room of the table")
            continue
        for number, line in enumerate(tree.lines(root, name), 1):
            match = INCLUDE.match(line)
            if match:
                looked_at += 1
                why = judge(name, match[1] or match[2], match[1] is not None, root)
                if why:
                    findings.append(f"{name}:{number}: {why}")
    tree.report("include rules", findings, looked_at)


if __name__ == "__main__":
    main()
