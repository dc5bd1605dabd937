#!/usr/bin/env python3
"""wav.py make FILE CHANNELS FRAMES [RATE]      16-bit noise, every channel its own, the same at every call
wav.py info FILE                             "channels frames rate peak", the peak as a factor
wav.py same A B                              exit 0 where frames, channels and every sample are equal
wav.py lag PLAYED RECORDED                   prints by how many frames RECORDED is late; exit 1 unless every channel of PLAYED
                                             is in it from there on, sample by sample, with the same lag
Reads 16, 24 and 32-bit and float32 WAV, written by hand so that a test shares no code with what it tests."""

import array
import random
import struct
import sys


def make(path, channels, frames, rate):
    noise = random.Random(1)
    samples = array.array("h", (noise.randrange(-30000, 30000) for _ in range(channels * frames)))
    data = samples.tobytes()
    with open(path, "wb") as file:
        file.write(b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt ")
        file.write(struct.pack("<IHHIIHH", 16, 1, channels, rate, rate * channels * 2, channels * 2, 16))
        file.write(b"data" + struct.pack("<I", len(data)) + data)


def read(path):
    """(channels, rate, samples as floats, interleaved). Dies on anything that is not a whole, sound WAV file."""
    with open(path, "rb") as file:
        blob = file.read()
    if blob[:4] not in (b"RIFF", b"RF64") or blob[8:12] != b"WAVE":
        sys.exit(f"{path}: no WAV file")
    if blob[:4] == b"RIFF" and struct.unpack("<I", blob[4:8])[0] != len(blob) - 8:
        sys.exit(f"{path}: the RIFF size is {struct.unpack('<I', blob[4:8])[0]}, the file has {len(blob)} bytes")
    at, form, big = 12, None, None
    while at + 8 <= len(blob):
        name, size = blob[at:at + 4], struct.unpack("<I", blob[at + 4:at + 8])[0]
        if name == b"ds64":
            big = struct.unpack("<Q", blob[at + 16:at + 24])[0]
        if name == b"data" and size == 0xFFFFFFFF and big is not None:
            size = big
        body = blob[at + 8:at + 8 + size]
        if name == b"fmt ":
            form, channels, rate, _, _, bits = struct.unpack("<HHIIHH", body[:16])
            if form == 0xFFFE:
                form = struct.unpack("<H", body[24:26])[0]
        if name == b"data":
            if form is None or len(body) != size or size % (channels * bits // 8):
                sys.exit(f"{path}: {len(body)} bytes of sound where the header says {size}")
            return channels, rate, decode(path, form, bits, body)
        at += 8 + size + size % 2
    sys.exit(f"{path}: no sound in it")


def decode(path, form, bits, body):
    if (form, bits) == (3, 32):
        return array.array("f", body)
    if (form, bits) == (1, 16):
        return array.array("f", (x / 32768.0 for x in array.array("h", body)))
    if (form, bits) == (1, 24):
        return array.array("f", (int.from_bytes(body[i:i + 3], "little", signed=True) / 8388608.0 for i in range(0, len(body), 3)))
    sys.exit(f"{path}: format {form} with {bits} bits is not known here")


def lag_of(played_path, recorded_path):
    channels, _, played = read(played_path)
    recorded_channels, _, recorded = read(recorded_path)
    if recorded_channels < channels:
        sys.exit(f"{recorded_path} has {recorded_channels} channels, {played_path} has {channels}")
    lags = set()
    for channel in range(channels):
        source, take = played[channel::channels], recorded[channel::recorded_channels]
        first = next((i for i, x in enumerate(source) if x != 0.0), None)
        if first is None:
            continue
        found = next((i for i, x in enumerate(take) if x != 0.0), None)
        if found is None:
            sys.exit(f"channel {channel + 1} is silent in {recorded_path}")
        lag = found - first
        common = min(len(source), len(take) - lag)
        if lag < 0 or common < len(source) // 2:
            sys.exit(f"channel {channel + 1}: only {common} of {len(source)} frames came back, lag {lag}")
        wrong = next((i for i in range(common) if source[i] != take[i + lag]), None)
        if wrong is not None:
            sys.exit(f"channel {channel + 1}: frame {wrong} was {source[wrong]!r} and came back as {take[wrong + lag]!r} (lag {lag})")
        lags.add(lag)
    if len(lags) != 1:
        sys.exit(f"the channels do not come back together: lags {sorted(lags)}")
    return lags.pop()


def main(command, *arguments):
    if command == "make":
        make(arguments[0], int(arguments[1]), int(arguments[2]), int((*arguments, "48000")[3]))
    elif command == "info":
        channels, rate, samples = read(arguments[0])
        print(channels, len(samples) // channels, rate, max((abs(x) for x in samples), default=0.0))
    elif command == "same":
        (a_channels, _, a), (b_channels, _, b) = read(arguments[0]), read(arguments[1])
        if (a_channels, len(a)) != (b_channels, len(b)):
            sys.exit(f"{a_channels} channels, {len(a)} samples against {b_channels} channels, {len(b)} samples")
        wrong = next((i for i in range(len(a)) if a[i] != b[i]), None)
        if wrong is not None:
            sys.exit(f"channel {wrong % a_channels + 1}, frame {wrong // a_channels}: {a[wrong]!r} against {b[wrong]!r}")
    elif command == "lag":
        print(lag_of(*arguments))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:] or [""])
