"""tree_rules.py ROOT: what every file of the tree promises a reader."""

import os
import re
import subprocess
import sys

import tree

SOURCES = (".hpp", ".cpp", ".proto", ".py", ".sh", ".txt", ".cmake", ".md", ".toml", ".json", ".service", ".bash")
THREAD = re.compile(r"// THREAD: .*\b(audio|control|disk|rpc|any|writer|main|job|device|driver|client|test)\b.* - .+")
LONGEST = 500
LONGEST_OF = {"README.md": 700}  # one page on purpose, two whole programs in it
LICENCE_LENGTH = 500

# What must not be in any file of ours: pattern, why, where it may be.
FORBIDDEN = (
    (r"\b(TODO|FIXME|XXX)\b", "unfinished work is an issue, not a comment", ("tests/checks/",)),
    (r"(?<![\w.])/(home/\w+|root)/", "a path of one machine", ("tests/checks/",)),
    (r"\bPa_[A-Z]\w+", "PortAudio outside server/device", ("server/device/", "tests/server/device/", "tests/device/", "tests/checks/")),
    (r"\bgrpc::", "gRPC outside server/rpc and clients", ("server/rpc/", "clients/", "tests/server/rpc/", "tests/integration/", "tests/bench/bench_control",
                                                        "tests/clients/", "tests/checks/", "tests/support/")),
    (r"-ffast-math|-Ofast|-funsafe-math", "a render must have the same bits everywhere", ("tests/checks/",)),
)
# On the audio thread, and in what reaches a sample: libm changes its last bits with the CPU.
FORBIDDEN_IN_RT = (
    (r"\bstd::(sin|cos|tan|exp|exp2|log|log2|log10|pow|tanh|atan|atan2|sincos)f?\s*\(", "use rt/dsp/math: libm's last bits change with the CPU"),
    (r"\bspdlog\b|\bstd::(cerr|cout|printf)\b|\bprintf\s*\(", "the audio thread does not log"),
    (r"\bthrow\b(?!\w)", "the audio thread does not throw"),
)


def code_of(line):
    """The line without its // comment: words in prose are not calls."""
    return line.split("//", 1)[0]


def check_text(name, text, findings):
    if name == "LICENSE":
        return
    for number, line in enumerate(text, 1):
        for pattern, why, allowed in FORBIDDEN:
            if not name.startswith(allowed) and not name.endswith(".md") and re.search(pattern, line):
                findings.append(f"{name}:{number}: {why}: {line.strip()[:80]}")
        if name.startswith("rt/") and name.endswith((".hpp", ".cpp")):
            for pattern, why in FORBIDDEN_IN_RT:
                if re.search(pattern, code_of(line)):
                    findings.append(f"{name}:{number}: {why}: {line.strip()[:80]}")
        if "\t" in line and not name.endswith(".md"):
            findings.append(f"{name}:{number}: a tab")
        if line != line.rstrip():
            findings.append(f"{name}:{number}: white space at the end of the line")
    longest = LONGEST_OF.get(name, LONGEST)
    if len(text) - 1 > longest:
        findings.append(f"{name}: {len(text) - 1} lines; split it before {longest}")
    if text[-1] != "":
        findings.append(f"{name}: no newline at the end of the file")


def check_name(name, findings):
    base = os.path.basename(name)
    if base.endswith((".hpp", ".cpp", ".proto")) and not re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*(\.inc)?\.(hpp|cpp|proto)", base):
        findings.append(f"{name}: file names are snake_case")


def check_script(root, name, text, findings):
    if not text[0].startswith("#!"):
        return
    path = os.path.join(root, name)
    if not os.access(path, os.X_OK):
        findings.append(f"{name}: starts with #! and is not executable")
    if "bash" in text[0] or text[0].endswith("/sh"):
        parsed = subprocess.run(["bash", "-n", path], capture_output=True, text=True)
        if parsed.returncode:
            findings.append(f"{name}: {parsed.stderr.strip().splitlines()[0]}")


def main():
    root = sys.argv[1]
    findings, looked_at = [], 0
    for name in tree.files(root, ""):
        try:
            text = tree.lines(root, name)
        except UnicodeDecodeError:
            if name.endswith(SOURCES):
                findings.append(f"{name}: not UTF-8")
            continue
        looked_at += 1
        check_name(name, findings)
        check_script(root, name, text, findings)
        if name.endswith(SOURCES) or text[0].startswith("#!"):
            check_text(name, text, findings)
        part = name.endswith(".inc.hpp")  # of one source that includes it in a namespace of its own
        if name.endswith(".hpp") and not THREAD.fullmatch(text[0]):
            findings.append(f"{name}:1: the first line of a header is '// THREAD: audio | control | disk | rpc | any - purpose'")
        if name.endswith(".hpp") and not part and not any(line == "#pragma once" for line in text[:12]):
            findings.append(f"{name}: no #pragma once near the top")
    if not os.path.isfile(os.path.join(root, "LICENSE")) or "Apache License" not in "\n".join(tree.lines(root, "LICENSE")[:5]):
        findings.append("LICENSE: the Apache License 2.0 must be here")
    tree.report("tree rules", findings, looked_at)


if __name__ == "__main__":
    main()
