"""self_test.py: every check of the tree can fail. A small good tree passes; then one sin at a time is planted in it, and
the check must name it. A gate that cannot fail is no gate."""

import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
HEADER = "// THREAD: any - an example\n#pragma once\n\n"

GOOD = {
    "LICENSE": "                                 Apache License\n",
    "CMakeLists.txt": "find_package(Threads REQUIRED)\nfind_program(CCACHE ccache)\n",
    "deploy/packages.txt": "[build]\ng++\ncmake\nninja-build\nccache\nprotobuf-compiler\nlibsndfile1-dev\n[run]\nlibsndfile1\n"
                           "[test]\njackd2\nstrace\n[check]\nclang-22\nlibclang-rt-22-dev\nllvm-22\n",
    "server/CMakeLists.txt": "pkg_check_modules(SNDFILE REQUIRED IMPORTED_TARGET sndfile)\n",
    "rt/types.hpp": HEADER + "#include <cstdint>\n",
    "rt/gain.hpp": HEADER + '#include "rt/types.hpp"\n',
    "rt/gain.cpp": '#include "rt/gain.hpp"\n',
    "server/device/device.hpp": HEADER + '#include "rt/types.hpp"\n',
    "server/device/portaudio.cpp": "#include <portaudio.h>\nint open() { return Pa_Initialize(); }\n",
    "server/rpc/edit.cpp": "#include <grpcpp/grpcpp.h>\ngrpc::Status answer();\n",
    "deploy/quickstart": "#!/bin/bash\necho hello\n",
}

# check, file, what is planted (None: the file is removed), what the check must say.
SINS = [
    ("include_rules", "rt/gain.cpp", '#include "server/device/device.hpp"\n', "a room that this one may not know"),
    ("include_rules", "rt/gain.cpp", "#include <mutex>\n", "<mutex> may not be used"),
    ("include_rules", "rt/gain.cpp", "#include <spdlog/spdlog.h>\n", "belongs to spdlog"),
    ("include_rules", "rt/gain.cpp", "#include <unistd.h>\n", "belongs to posix"),
    ("include_rules", "rt/gain.cpp", "#  include  <kissfft/kiss_fft.h>\n", "belongs to kissfft"),
    ("include_rules", "server/control/engine.cpp", "#include <portaudio.h>\n", "belongs to portaudio"),
    ("include_rules", "server/control/engine.cpp", "#include <continuo/v1/edit.grpc.pb.h>\n", "belongs to grpc"),
    ("include_rules", "server/control/engine.cpp", '#include "server/device/clock_device.hpp"\n', "no such file"),
    ("include_rules", "server/session/document.cpp", "#include <thread>\n", "<thread> may not be used"),
    ("include_rules", "server/session/document.cpp", "#include <grpcpp/grpcpp.h>\n", "belongs to grpc"),
    ("include_rules", "server/media/probe.cpp", '#include "server/device/device.hpp"\n', "a room that this one may not know"),
    ("include_rules", "clients/cli/main.cpp", '#include "rt/types.hpp"\n', "a room that this one may not know"),
    ("include_rules", "rt/gain.cpp", "#include <rt/types.hpp>\n", "use quotes"),
    ("include_rules", "rt/gain.cpp", "#include <lv2.h>\n", "in no library of the table"),
    ("include_rules", "server/attic/a.cpp", "#include <vector>\n", "in no room of the table"),
    ("include_rules", "server/render/job.cpp", "#include <grpcpp/grpcpp.h>\n", "belongs to grpc"),
    ("tree_rules", "rt/gain.hpp", "#pragma once\n", "the first line of a header"),
    ("tree_rules", "rt/gain.hpp", "// THREAD: any - an example\nint a;\n", "no #pragma once"),
    ("tree_rules", "rt/gain.cpp", "int a;\n" * 501, "501 lines"),
    ("tree_rules", "rt/gain.cpp", "int a;  // TODO later\n", "unfinished work"),
    ("tree_rules", "deploy/quickstart", "#!/bin/bash\ncat /home/anna/file\n", "a path of one machine"),
    ("tree_rules", "server/control/a.cpp", "int a = Pa_Initialize();\n", "PortAudio outside"),
    ("tree_rules", "server/control/a.cpp", "grpc::Status a();\n", "gRPC outside"),
    ("tree_rules", "CMakeLists.txt", "add_compile_options(-ffast-math)\n", "same bits"),
    ("tree_rules", "rt/gain.cpp", "double a = std::pow(10.0, 2.0);\n", "libm"),
    ("tree_rules", "rt/gain.cpp", "void a() { throw 1; }\n", "does not throw"),
    ("tree_rules", "rt/gain.cpp", "int a; \n", "white space at the end"),
    ("tree_rules", "rt/gain.cpp", "\tint a;\n", "a tab"),
    ("tree_rules", "rt/gain.cpp", "int a;", "no newline"),
    ("tree_rules", "rt/GainNode.cpp", "int a;\n", "snake_case"),
    ("tree_rules", "deploy/quickstart", "#!/bin/bash\nif true; then\n", "syntax error"),
    ("tree_rules", "LICENSE", "GNU\n", "Apache License"),
    ("package_rules", "server/CMakeLists.txt", "find_package(Qt6 REQUIRED)\n", "which Debian package has it"),
    ("package_rules", "server/CMakeLists.txt", "pkg_check_modules(SOXR REQUIRED IMPORTED_TARGET soxr)\n", "needs libsoxr-dev"),
    ("package_rules", "deploy/packages.txt", "[build]\ng++\n[run]\n[test]\n[check]\n", "needs libsndfile1-dev"),
    ("package_rules", "deploy/packages.txt", "[build]\ng++\ng++\n[run]\n[test]\n[check]\n", "is twice"),
    ("package_rules", "deploy/packages.txt", "[build]\ng++\n", "no group [test]"),
]


def write(root, name, text):
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, 0o755 if text.startswith("#!") else 0o644)


def run(check, root):
    done = subprocess.run([sys.executable, "-B", os.path.join(HERE, check + ".py"), root], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def good_tree():
    root = tempfile.mkdtemp(prefix="continuo-checks-")
    for name, text in GOOD.items():
        write(root, name, text)
    return root


def main():
    failed = 0

    def expect(what, good, said):
        nonlocal failed
        if not good:
            failed += 1
            print(f"FAIL {what}\n{said}")

    for check in ("include_rules", "tree_rules", "package_rules"):
        root = good_tree()
        try:
            code, said = run(check, root)
            expect(f"{check} passes a good tree", code == 0, said)
            if check == "tree_rules":
                os.chmod(os.path.join(root, "deploy/quickstart"), 0o644)
                code, said = run(check, root)
                expect("tree_rules sees a script that is not executable", code == 1 and "not executable" in said, said)
        finally:
            shutil.rmtree(root)
        empty = tempfile.mkdtemp(prefix="continuo-checks-")
        try:
            code, said = run(check, empty)
            expect(f"{check} fails an empty folder", code == 1, said)
        finally:
            shutil.rmtree(empty)
    for check, name, text, must_say in SINS:
        root = good_tree()
        try:
            write(root, name, text)
            code, said = run(check, root)
            expect(f"{check}: {must_say!r} for {text[:40]!r} in {name}", code == 1 and must_say in said and name in said, said)
        finally:
            shutil.rmtree(root)
    print(f"{len(SINS)} sins planted, {failed} not caught")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
