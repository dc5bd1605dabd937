#!/usr/bin/env python3
"""play_a_file.py FILE: plays a sound file of this machine through the daemon, with meters, and tidies up behind it.

The file is named below one of the daemon's media roots where it lies in one; else it is uploaded to the root `--root`, and
deleted afterwards."""

import argparse
import sys

import continuo

TRACK = "play-a-file"


def name_for_daemon(client, file, root):
    """("root:relative", it was uploaded)."""
    name = client.media.name_of(file)
    return (name, False) if name else (client.media.put(file, root + ":"), True)


def bar(level_db, columns=40):
    return "#" * max(0, min(columns, round((level_db + 60) / 60 * columns)))


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("file")
    arguments.add_argument("--root", default="takes", help="media root to upload to")
    given = arguments.parse_args()
    with continuo.Client() as client:
        name, uploaded = name_for_daemon(client, given.file, given.root)
        with client.transaction() as tx:
            tx.add_track(TRACK, name)
            tx.locate(0)
            tx.play()
        for warning in tx.answer.warnings:
            print(warning, file=sys.stderr)
        try:
            end = client.status().timeline_end_frame
            for meters in client.meters(TRACK, rate_hz=10):
                peak = max((level for level in meters[TRACK].peak_db if level is not None), default=-150.0)
                print(f"{meters.clock.timeline_frame / meters.clock.timeline_rate_hz:7.2f} s {bar(peak)}")
                if meters.clock.timeline_frame >= end or not meters.clock.rolling:
                    break
        finally:
            with client.transaction() as tx:
                tx.stop()
                tx.remove_node(TRACK)
            if uploaded:
                client.media.delete(name)


if __name__ == "__main__":
    try:
        main()
    except continuo.ContinuoError as error:
        print(f"play_a_file: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
