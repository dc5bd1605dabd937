#!/usr/bin/env python3
"""kill_takes.py KILLS FOLDER: daemons on the clock device record 16 channels and are killed (SIGKILL) at random moments, in turns
into one WAV file, WAV files of a second each, FLAC files of a channel each, and those in parts. Each time what is left opens in
libsndfile and ffprobe, holds the player's samples bit for bit, and is at most one second shorter than what had been recorded;
after the next start the same holds under its final names. Needs continuod, continuo and ffprobe in the PATH."""

import array
import ctypes
import ctypes.util
import glob
import json
import os
import random
import struct
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True  # the source folder stays as it is
import wav  # noqa: E402

CHANNELS, RATE, SECONDS, AT_ONCE = 16, 48000, 5, 3
EMPTY = 28672  # bytes of a file without a frame
# How each take is made: its ending, options, and how many files stand side by side.
KINDS = [(".wav", [], 1), (".wav", ["--split-every", "1s"], 1), (".flac", ["--split"], CHANNELS),
         (".flac", ["--split", "--split-every", "1s", "--format", "flac16"], CHANNELS)]


class Info(ctypes.Structure):
    _fields_ = [("frames", ctypes.c_int64), ("samplerate", ctypes.c_int), ("channels", ctypes.c_int), ("format", ctypes.c_int),
                ("sections", ctypes.c_int), ("seekable", ctypes.c_int)]


sndfile = ctypes.CDLL(ctypes.util.find_library("sndfile"))
sndfile.sf_open.restype = ctypes.c_void_p
sndfile.sf_readf_float.restype = ctypes.c_int64
sndfile.sf_readf_float.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
sndfile.sf_close.argtypes = [ctypes.c_void_p]


def read_by_libsndfile(path, channels):
    info = Info()
    file = sndfile.sf_open(path.encode(), 0x10, ctypes.byref(info))
    if not file:
        raise AssertionError(f"{path}: libsndfile does not open it")
    unknown = info.frames > 1 << 40  # a FLAC file of a moment ago, whose header does not say
    frames = os.path.getsize(path) if unknown else info.frames
    samples = array.array("f", bytes(4 * frames * info.channels))
    got = sndfile.sf_readf_float(file, samples.buffer_info()[0], frames)
    sndfile.sf_close(file)
    assert (info.channels, info.samplerate) == (channels, RATE), f"{path}: {info.channels} channels, {info.samplerate} Hz"
    assert unknown or got == frames, f"{path}: {got} of {frames} frames"
    del samples[got * info.channels:]
    return samples


def probe(path, channels):
    """What ffprobe says of it without a complaint: its frames."""
    done = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "stream=channels,sample_rate,duration_ts", "-of", "json", path],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and not done.stderr, f"{path}: ffprobe says {done.stderr}"
    stream = json.loads(done.stdout)["streams"][0]
    assert (stream["channels"], stream["sample_rate"]) == (channels, str(RATE)), f"{path}: ffprobe says {stream}"
    return int(stream["duration_ts"])


def make_source(path):
    samples = array.array("h", ((i * 7919) % 60013 - 30000 for i in range(CHANNELS * RATE * SECONDS)))
    data = samples.tobytes()
    with open(path, "wb") as file:
        file.write(b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt ")
        file.write(struct.pack("<IHHIIHH", 16, 1, CHANNELS, RATE, RATE * CHANNELS * 2, CHANNELS * 2, 16))
        file.write(b"data" + struct.pack("<I", len(data)) + data)
    return array.array("f", (x / 32768.0 for x in samples))


class Worker:
    """One daemon after the other over one take folder."""

    def __init__(self, folder, expected, kills, offset):
        self.folder, self.expected, self.kills, self.offset = folder, expected, kills, offset
        self.random = random.Random(folder)
        self.pending = None  # (name, least frames) of the take that the last kill left
        self.shortest = []
        os.makedirs(folder + "/takes")
        os.makedirs(folder + "/state")

    def continuo(self, *words):
        done = subprocess.run(["continuo", "--server", f"unix:{self.folder}/socket", *words], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, f"continuo {' '.join(words)}: {done.stderr}"
        return done.stdout

    def takes(self):
        return [json.loads(line) for line in self.continuo("takes", "--json").splitlines()]

    def start(self):
        with open(self.folder + "/log", "ab") as log:
            daemon = subprocess.Popen(
                ["continuod", "--listen", f"unix:{self.folder}/socket", "--state-folder", self.folder + "/state", "--take-folder",
                 self.folder + "/takes", "--media-root", f"media={os.path.dirname(self.folder)}/media", "--device", "clock"],
                stdout=subprocess.PIPE, stderr=log)
        assert b"ready" in daemon.stdout.readline(), f"continuod does not start: {open(self.folder + '/log').read()[-2000:]}"
        return daemon

    def files_of(self, name, side, repaired):
        """In order, of one take and one of the files that stand side by side."""
        stem, ending = os.path.splitext(name)
        side = f"-ch{side + 1:02}" if KINDS[self.kind][2] > 1 else ""
        found = [path for path in glob.glob(f"{self.folder}/takes/{stem}{side}*{ending}*") if os.path.getsize(path) > EMPTY]
        assert not repaired or all(path.endswith(ending) for path in found), f"{found} are not repaired"
        return sorted(found, key=lambda path: path.removesuffix(".part"))

    def check(self, name, least, repaired):
        """Returns how many frames there are."""
        ending, _, sides = KINDS[self.kind]
        frames = []
        for side in range(sides):
            samples = array.array("f")
            files = self.files_of(name, side, repaired)
            for path in files:
                part = read_by_libsndfile(path, CHANNELS // sides)
                if repaired and ending == ".wav":
                    assert wav.read(path)[2] == part, f"{path}: not a sound WAV file"
                if side == self.probed:
                    told = probe(path, CHANNELS // sides)
                    assert not repaired or told == len(part) * sides // CHANNELS, f"{path}: ffprobe says {told} frames"
                samples.extend(part)
            expected = self.expected[side::sides] if sides > 1 else self.expected
            assert samples == expected[:len(samples)], f"{files}: not the samples that were played"
            frames.append(len(samples) * sides // CHANNELS)
            assert frames[-1] >= least, f"{files}: {frames[-1]} frames, {least - frames[-1]} too few"
        return min(frames)

    def check_repaired(self):
        if self.pending is None:
            return
        name, least = self.pending
        stem = os.path.splitext(name)[0]
        limit = time.monotonic() + 10
        while glob.glob(f"{self.folder}/takes/{stem}*.part"):
            assert time.monotonic() < limit, f"{name} is not repaired: {self.takes()}"
            time.sleep(0.02)
        while not any(take["file"].startswith(f"takes:{stem}") and take.get("recovered") for take in self.takes()):
            assert time.monotonic() < limit, f"{name} is not told: {self.takes()}"
            time.sleep(0.02)
        self.check(name, least, True)
        for path in glob.glob(f"{self.folder}/takes/{stem}*"):
            os.remove(path)

    def round(self, number):
        daemon = self.start()
        try:
            self.check_repaired()
            self.kind = (number + self.offset) % len(KINDS)
            self.probed = self.random.randrange(KINDS[self.kind][2])
            ending, options, _ = KINDS[self.kind]
            name = f"take{number}{ending}"
            self.continuo("session", "load", os.path.dirname(self.folder) + "/session.json")
            self.continuo("record", "start", "a", "--file", f"takes:{name}", "--play", *options)
            time.sleep(self.random.uniform(0.1, 2.5))  # the random moment
            asked = time.monotonic()
            take = next(take for take in self.takes() if take["recording"])
        finally:
            daemon.kill()
            killed = time.monotonic()
            daemon.wait()
            daemon.stdout.close()
        # By then it had at most recorded this much; a second of it may be lost.
        most = int(take["frames"]) + int((killed - asked) * RATE)
        self.shortest.append(most - self.check(name, most - RATE, False))
        self.pending = (name, most - RATE)

    def run(self):
        try:
            for number in range(self.kills):
                self.round(number)
            daemon = self.start()
            self.check_repaired()
            daemon.terminate()
            daemon.wait()
        except Exception as error:  # told by main
            self.error = error


def main(kills, folder):
    os.makedirs(folder + "/media")
    expected = make_source(folder + "/media/ramp.wav")
    with open(folder + "/session.json", "w") as file:
        json.dump({"format": 1, "nodes": [{"id": "a", "type": "track", "params": {"channels": CHANNELS},
                                           "children": [{"id": "p", "type": "player", "params": {"file": "media:ramp.wav"}}]}]}, file)
    workers = [Worker(f"{folder}/{i}", expected, kills // AT_ONCE + (i < kills % AT_ONCE), i) for i in range(AT_ONCE)]
    threads = [threading.Thread(target=worker.run) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    failed = [worker for worker in workers if hasattr(worker, "error")]
    for worker in failed:
        print(f"FAIL: {worker.error!r}", file=sys.stderr)
    missing = [frames for worker in workers for frames in worker.shortest]
    print(f"{len(missing)} kills; at most {max(missing, default=0) / RATE:.3f} s were missing")
    return 1 if failed or len(missing) != kills else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2]))
