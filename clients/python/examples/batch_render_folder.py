#!/usr/bin/env python3
"""batch_render_folder.py FOLDER OUT [-j N] [-- OPTIONS]: renders every session (*.json) of a folder, N at a time.

Each becomes OUT/NAME.wav (--ending) by a `continuo-render` of its own, which needs no daemon; what follows "--" goes to it.
A line a session; the exit code is the first that is not 0."""

import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys


def render(session, out, options):
    """(session, exit code, what the renderer said)."""
    done = subprocess.run(["continuo-render", str(session), "-o", str(out), "--json", *options],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return session, done.returncode, done.stdout if done.returncode == 0 else done.stderr


def main():
    given = sys.argv[1:]
    options = given[given.index("--") + 1:] if "--" in given else []
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("out", type=pathlib.Path)
    arguments.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1)
    arguments.add_argument("--ending", default="wav", help="wav, w64, aiff or flac")
    wanted = arguments.parse_args(given[:given.index("--")] if "--" in given else given)
    sessions = sorted(wanted.folder.glob("*.json"))
    if not sessions:
        print(f"batch_render_folder: no *.json in {wanted.folder}", file=sys.stderr)
        return 66
    wanted.out.mkdir(parents=True, exist_ok=True)
    worst = 0
    with concurrent.futures.ThreadPoolExecutor(max(1, wanted.jobs)) as pool:
        jobs = [pool.submit(render, each, wanted.out / f"{each.stem}.{wanted.ending}", options) for each in sessions]
        for job in jobs:
            session, code, said = job.result()
            if code == 0:
                told = json.loads(said.splitlines()[-1])
                print(f"{session.name}: {told['frames']} frames, {told['times_real_time']:.0f} times real time, {told['sha256']}")
            else:
                print(f"{session.name}: exit code {code}: {said.strip()}", file=sys.stderr)
                worst = worst or code
    return worst


if __name__ == "__main__":
    sys.exit(main())
