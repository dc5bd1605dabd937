"""discover_tests.py PROGRAM FOLDER OUT: writes the CTest file OUT, with one test for each case of the doctest program.

doctest's own CMake script splits a name at a semicolon, and a filter ends at a comma; here every name is a name."""

import subprocess
import sys

program, folder, out = sys.argv[1:]
listed = subprocess.run([program, "--list-test-cases", "--no-colors=true"], capture_output=True, text=True)
if listed.returncode != 0:
    sys.exit(f"{program} cannot list its cases ({listed.returncode}):\n{listed.stdout}{listed.stderr}")
cases = [line for line in listed.stdout.splitlines() if line and not line.startswith(("[doctest]", "====="))]
if not cases:
    sys.exit(f"{program} has no test case")
twice = {case for case in cases if cases.count(case) > 1 or "]==]" in case}
if twice:
    sys.exit(f"{program}: two cases have one name: {sorted(twice)}")
with open(out, "w", encoding="utf-8") as file:
    for case in cases:
        name = f"[==[{folder}: {case}]==]"
        filter_ = case.replace(",", "?").replace("\\", "?")
        file.write(f"add_test({name} [==[{program}]==] [==[--test-case={filter_}]==])\n")
        # A filter that matches no case ends with 0.
        file.write(f'set_tests_properties({name} PROPERTIES TIMEOUT 120 LABELS [==[{folder}]==] FAIL_REGULAR_EXPRESSION "test cases: +0 ")\n')
