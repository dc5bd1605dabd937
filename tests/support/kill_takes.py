#!/usr/bin/env python3
"""kill_takes.py KILLS FOLDER: daemons on the clock device record 16 channels and are killed (SIGKILL) at random moments. Each
time the file that is left opens in libsndfile, holds the player's samples bit for bit, and is at most one second shorter than
what had been recorded; after the next start the same holds under its final name. Needs continuod and continuo in the PATH."""

import array
import ctypes
import ctypes.util
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


class Info(ctypes.Structure):
    _fields_ = [("frames", ctypes.c_int64), ("samplerate", ctypes.c_int), ("channels", ctypes.c_int), ("format", ctypes.c_int),
                ("sections", ctypes.c_int), ("seekable", ctypes.c_int)]


sndfile = ctypes.CDLL(ctypes.util.find_library("sndfile"))
sndfile.sf_open.restype = ctypes.c_void_p
sndfile.sf_readf_float.restype = ctypes.c_int64
sndfile.sf_readf_float.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
sndfile.sf_close.argtypes = [ctypes.c_void_p]


def read_by_libsndfile(path):
    info = Info()
    file = sndfile.sf_open(path.encode(), 0x10, ctypes.byref(info))
    if not file:
        raise AssertionError(f"{path}: libsndfile does not open it")
    samples = array.array("f", bytes(4 * info.frames * info.channels))
    got = sndfile.sf_readf_float(file, samples.buffer_info()[0], info.frames)
    sndfile.sf_close(file)
    assert (got, info.channels, info.samplerate) == (info.frames, CHANNELS, RATE), f"{path}: {got} of {info.frames} frames"
    return samples


def make_source(path):
    samples = array.array("h", ((i * 7919) % 60013 - 30000 for i in range(CHANNELS * RATE * SECONDS)))
    data = samples.tobytes()
    with open(path, "wb") as file:
        file.write(b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt ")
        file.write(struct.pack("<IHHIIHH", 16, 1, CHANNELS, RATE, RATE * CHANNELS * 2, CHANNELS * 2, 16))
        file.write(b"data" + struct.pack("<I", len(data)) + data)
    return array.array("f", (x / 32768.0 for x in samples)).tobytes()


class Worker:
    """One daemon after the other over one take folder."""

    def __init__(self, folder, expected, kills):
        self.folder, self.expected, self.kills = folder, expected, kills
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
                 self.folder + "/takes", "--media-root", f"media={os.path.dirname(self.folder)}", "--device", "clock"],
                stdout=subprocess.PIPE, stderr=log)
        assert b"ready" in daemon.stdout.readline(), f"continuod does not start: {open(self.folder + '/log').read()[-2000:]}"
        return daemon

    def check(self, path, samples, least):
        frames = len(samples) // CHANNELS
        assert samples.tobytes() == self.expected[:4 * len(samples)], f"{path}: not the samples that were played"
        assert frames >= least, f"{path}: {frames} frames, {least - frames} too few"
        return frames

    def check_repaired(self):
        if self.pending is None:
            return
        name, least = self.pending
        limit = time.monotonic() + 10
        while not any(take["file"] == f"takes:{name}" and take.get("recovered") for take in self.takes()):
            assert time.monotonic() < limit, f"{name} is not repaired: {self.takes()}"
            time.sleep(0.02)
        path = f"{self.folder}/takes/{name}"
        _, _, strict = wav.read(path)
        self.check(path, strict, least)
        assert not os.path.exists(path + ".part")
        os.remove(path)

    def round(self, number):
        daemon = self.start()
        try:
            self.check_repaired()
            name = f"take{number}.wav"
            self.continuo("session", "load", os.path.dirname(self.folder) + "/session.json")
            self.continuo("record", "start", "a", "--file", f"takes:{name}", "--play")
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
        path = f"{self.folder}/takes/{name}.part"
        frames = self.check(path, read_by_libsndfile(path), most - RATE)
        self.shortest.append(most - frames)
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
    expected = make_source(folder + "/ramp.wav")
    with open(folder + "/session.json", "w") as file:
        json.dump({"format": 1, "nodes": [{"id": "a", "type": "track", "params": {"channels": CHANNELS},
                                           "children": [{"id": "p", "type": "player", "params": {"file": "media:ramp.wav"}}]}]}, file)
    workers = [Worker(f"{folder}/{i}", expected, kills // AT_ONCE + (i < kills % AT_ONCE)) for i in range(AT_ONCE)]
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
