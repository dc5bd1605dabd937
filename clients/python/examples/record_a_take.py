#!/usr/bin/env python3
"""record_a_take.py [NODE] [--seconds S] [--to FOLDER]: records what leaves a node, to the sample, and fetches the file."""

import argparse
import sys

import continuo


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("node", nargs="?", default="out", help='a track, a bus, a recorder, "in" or "out"')
    arguments.add_argument("--seconds", type=float, default=10.0)
    arguments.add_argument("--to", default=".", help="folder of this machine")
    given = arguments.parse_args()
    with continuo.Client() as client:
        frames = round(given.seconds * client.clock().engine_rate_hz)
        with client.transaction() as tx:  # one transaction: the first frame of the sound is the first of the take
            tx.record_start(given.node, frames=frames)
            tx.play()
        take = client.wait_take(tx.answer.take_ids[0], timeout_s=given.seconds + 30)
        if take.error:
            raise continuo.StorageError(take.error, "TAKE_FAILED", take.file)
        file = client.media.get(take.file, given.to)
        print(f"{file}: {take.frames} frames of {take.channels} channels at {take.sample_rate_hz} Hz, {take.lost_frames} lost")


if __name__ == "__main__":
    try:
        main()
    except continuo.ContinuoError as error:
        print(f"record_a_take: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
