#!/usr/bin/env python3
"""fade_three_tracks.py TRACK TRACK TRACK [--to DB] [--ms MS]: fades them together, sample by sample, and waits for it.

One transaction, so that all fades begin at one frame; a mirror of the session tells where the faders were. With asyncio."""

import argparse
import asyncio
import sys

import continuo


async def fade(client, tracks, to_db, ms):
    async with client.mirror() as mirror:
        before = {track: mirror.get(f"{track}.gain_db") for track in tracks}
        async with client.transaction(max_wait_s=30) as tx:
            for track in tracks:
                tx.set(f"{track}.gain_db", to_db, ramp_ms=ms)
        await mirror.wait_until(tx.answer.revision, 10)
        for track, gain_db in before.items():
            print(f"{track}: {gain_db:g} dB -> {mirror.get(f'{track}.gain_db'):g} dB from engine frame {tx.answer.engine_frame}")
    if not tx.answer.applied:
        print("not heard yet: the device stands still")
        return
    clock = await client.clock()
    end = tx.answer.engine_frame + ms / 1000 * clock.engine_rate_hz
    async for meters in client.meters(*tracks, rate_hz=20):
        if meters.engine_frame >= end:
            return


async def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("tracks", nargs=3)
    arguments.add_argument("--to", type=float, default=-60.0, help="dB, -150 to 24")
    arguments.add_argument("--ms", type=float, default=3000.0, help="0 to 600000")
    given = arguments.parse_args()
    async with continuo.AsyncClient() as client:
        await fade(client, given.tracks, given.to, given.ms)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except continuo.ContinuoError as error:
        print(f"fade_three_tracks: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
