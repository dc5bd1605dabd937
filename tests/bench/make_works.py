#!/usr/bin/env python3
"""make_works.py FOLDER [--seconds S] [--only WORK,...]: writes the media and the session files of the works of works.py.

64 mono and 32 stereo 24-bit files and an impulse response, 48 kHz: noise from fixed seeds whose level steps every 85 ms, so
that a compressor is never at rest. The same bytes at every call. Media that are there in the right length are kept."""

import argparse
import json
import os
import random
import struct
import sys

import works

RATE = 48000
STEP_FRAMES = 4096
# The high byte of a sample, made of a random one: full scale / 4 ... / 64, as often positive as negative.
LEVELS = [bytes((value % (2 * half) - half) & 0xFF for value in range(256)) for half in (32, 4, 16, 2, 8)]


def header(channels, frames, bits, form):
    width = channels * bits // 8
    size = frames * width
    return (b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, form, channels, RATE, RATE * width, width, bits)
            + b"data" + struct.pack("<I", size))


def noise_file(path, seed, channels, frames):
    """24 bits. The two low bytes are any; the high one has the step's level."""
    size = 44 + frames * channels * 3
    if os.path.isfile(path) and os.path.getsize(path) == size:
        return
    chance = random.Random(seed)
    with open(path + ".part", "wb") as file:
        file.write(header(channels, frames, 24, 1))
        for step, begin in enumerate(range(0, frames, STEP_FRAMES)):
            samples = min(STEP_FRAMES, frames - begin) * channels
            data = bytearray(chance.randbytes(3 * samples))
            data[2::3] = data[2::3].translate(LEVELS[(step + seed) % len(LEVELS)])
            file.write(data)
    os.rename(path + ".part", path)


def impulse_file(path, frames):
    """Stereo float: noise that falls by 60 dB over its length, no louder than 1 for white noise."""
    size = 44 + frames * 8
    if os.path.isfile(path) and os.path.getsize(path) == size:
        return
    chance = random.Random(3)
    fall = 10.0 ** (-3.0 / frames)
    level = 0.01
    samples = []
    for _ in range(frames):
        samples += (level * chance.uniform(-1.0, 1.0), level * chance.uniform(-1.0, 1.0))
        level *= fall
    with open(path + ".part", "wb") as file:
        file.write(header(2, frames, 32, 3) + struct.pack(f"<{len(samples)}f", *samples))
    os.rename(path + ".part", path)


def make(folder, seconds, names=None):
    """The works that were written, by name."""
    os.makedirs(folder, exist_ok=True)
    every = works.all_works()
    chosen = {name: every[name] for name in names or every}
    for work in list(chosen.values()):
        if work.uniform:
            chosen.setdefault(work.uniform, every[work.uniform])
    frames = round(seconds * RATE)
    for work in chosen.values():
        text = json.dumps(work.session(), indent=1)
        with open(os.path.join(folder, work.name + ".json"), "w", encoding="utf-8") as file:
            file.write(text + "\n")
        for number in range(1, works.TRACKS + 1):
            for channels, name in ((1, f"mono{number:02}.wav"), (2, f"stereo{number:02}.wav")):
                if f'"{name}"' in text:
                    noise_file(os.path.join(folder, name), 1000 * channels + number, channels, frames)
        if '"impulse.wav"' in text:
            impulse_file(os.path.join(folder, "impulse.wav"), works.IMPULSE_SECONDS * RATE)
    return chosen


def main():
    parser = argparse.ArgumentParser(description="Writes the works of the speed table: media and sessions.")
    parser.add_argument("folder")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--only", default="", help="names, with commas between")
    arguments = parser.parse_args()
    names = [name for name in arguments.only.split(",") if name]
    wrong = set(names) - set(works.all_works())
    if wrong:
        sys.exit(f"no such work: {', '.join(sorted(wrong))}; there are: {', '.join(works.all_works())}")
    made = make(arguments.folder, arguments.seconds, names)
    print(f"{len(made)} sessions in {arguments.folder}: {' '.join(made)}")


if __name__ == "__main__":
    main()
