"""package_rules.py ROOT: every library and program that the build asks for has its package in deploy/packages.txt."""

import re
import sys

import tree

# What CMake asks for -> the Debian package that has it. An empty name: CMake or the C library bring it.
PACKAGE_OF = {
    "package Threads": "", "package PkgConfig": "pkg-config", "package spdlog": "libspdlog-dev",
    "package tomlplusplus": "libtomlplusplus-dev", "package CLI11": "libcli11-dev", "package Boost": "libboost1.81-dev",
    "package Protobuf": "libprotobuf-dev", "package doctest": "doctest-dev", "package rapidcheck": "librapidcheck-dev",
    "package benchmark": "libbenchmark-dev", "package kissfft": "libkissfft-dev", "package Python3": "python3",
    "module portaudio-2.0": "portaudio19-dev", "module sndfile": "libsndfile1-dev", "module flac": "libflac-dev", "module soxr": "libsoxr-dev",
    "module libcrypto": "libssl-dev", "module sqlite3": "libsqlite3-dev",
    "module grpc++": "libgrpc++-dev", "module kissfft-float": "libkissfft-dev", "module libebur128": "libebur128-dev",
    "module protobuf": "libprotobuf-dev",
    "program ccache": "ccache", "program grpc_cpp_plugin": "protobuf-compiler-grpc", "program protoc": "protobuf-compiler",
    "program systemd-analyze": "systemd", "program jackd": "jackd2", "program python3": "python3", "program bash": "",
    "compiler g++": "g++", "compiler clang++-22": "clang-22", "compiler clang-22": "clang-22", "generator Ninja": "ninja-build",
    "target kissfft": "libkissfft-dev",
}
# Used without a line in CMake that names them.
ALWAYS = ("cmake", "protobuf-compiler", "libclang-rt-22-dev", "llvm-22", "strace", "jackd2")
GROUPS = {"build", "run", "test", "check"}


def packages(root):
    """Group -> packages."""
    groups, group = {}, None
    for line in tree.lines(root, "deploy/packages.txt"):
        word = line.split("#", 1)[0].strip()
        if word.startswith("["):
            group = word.strip("[]")
            groups[group] = []
        elif word:
            groups[group].append(word)
    return groups


def asked(text):
    for match in re.finditer(r"find_package\(\s*(\S+?)[\s)]", text):
        yield "package " + match[1]
    for match in re.finditer(r"pkg_(?:check_modules|search_module)\(\s*\S+\s+([^)]*)\)", text):
        for word in match[1].split():
            if word not in ("REQUIRED", "QUIET", "IMPORTED_TARGET", "GLOBAL"):
                yield "module " + re.split("[<>=]", word)[0]
    for match in re.finditer(r"find_program\(\s*\S+\s+(?:NAMES\s+)?([^\s)]+)", text):
        yield "program " + match[1]
    for match in re.finditer(r'"CMAKE_CX?X?_?COMPILER": "([^"]+)"', text):
        yield "compiler " + match[1]
    for match in re.finditer(r'"generator": "([^"]+)"', text):
        yield "generator " + match[1]


def main():
    root = sys.argv[1]
    groups = packages(root)
    listed = {name for group in groups.values() for name in group}
    findings, looked_at = [], 0
    for group in GROUPS - set(groups):
        findings.append(f"deploy/packages.txt: no group [{group}]")
    for group, names in groups.items():
        for name in sorted({name for name in names if names.count(name) > 1}):
            findings.append(f"deploy/packages.txt: {name} is twice in [{group}]")
    for name in tree.files(root, "CMakeLists.txt", ".cmake", "CMakePresets.json"):
        text = "\n".join(line.split("#", 1)[0] for line in tree.lines(root, name))
        for wish in asked(text):
            looked_at += 1
            if wish not in PACKAGE_OF:
                findings.append(f"{name}: {wish}: which Debian package has it? Add it to tests/checks/package_rules.py")
            elif PACKAGE_OF[wish] and PACKAGE_OF[wish] not in listed:
                findings.append(f"{name}: {wish} needs {PACKAGE_OF[wish]}, which deploy/packages.txt does not list")
    for name in ALWAYS:
        if name not in listed:
            findings.append(f"deploy/packages.txt: {name} is missing")
    tree.report("package rules", findings, looked_at)


if __name__ == "__main__":
    main()
