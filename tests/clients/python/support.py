"""What the tests of the Python client share: a way to the daemon that breaks when it is told to, and a daemon of its own."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import continuo

PATIENCE_S = 120.0  # how long a test waits for what must come; never how long it should take


def until(condition, what):
    """For what has no event to wait for."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {PATIENCE_S:g} s: {what}")
        threading.Event().wait(0.02)


class Proxy:
    """Between a client and a daemon's Unix socket. Every connection through it can be cut, at once or after so many bytes;
    while it is down nobody answers; answers can be swallowed."""

    def __init__(self, target):
        self._target = target.removeprefix("unix:")
        self._folder = tempfile.mkdtemp(prefix="continuo-proxy.")
        self._path = os.path.join(self._folder, "socket")
        self.address = "unix:" + self._path
        self._lock = threading.Lock()
        self._pairs = []
        self._listener = None
        self.swallow = False  # what the daemon says is lost
        self.bytes_up = 0
        self.cut_at_byte = None
        self.up()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.down()
        shutil.rmtree(self._folder)

    def up(self):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self._path)
        listener.listen(50)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def down(self):
        if self._listener is not None:
            os.unlink(self._path)
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.drop()

    def drop(self):
        """Cuts every connection."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def _accept(self, listener):
        while True:
            try:
                here, _ = listener.accept()
            except OSError:
                return
            there = socket.socket(socket.AF_UNIX)
            try:
                there.connect(self._target)
            except OSError:
                here.close()
                there.close()
                continue
            with self._lock:
                self._pairs.append((here, there))
            threading.Thread(target=self._carry, args=(here, there), daemon=True).start()

    def _carry(self, here, there):
        down = threading.Thread(target=self._pump, args=(there, here, False), daemon=True)
        down.start()
        self._pump(here, there, True)
        down.join()
        here.close()
        there.close()

    def _pump(self, source, sink, upwards):
        try:
            while data := source.recv(65536):
                if upwards:
                    self.bytes_up += len(data)
                    if self.cut_at_byte is not None and self.bytes_up >= self.cut_at_byte:
                        self.cut_at_byte = None
                        return self.drop()
                if upwards or not self.swallow:
                    sink.sendall(data)
        except OSError:
            pass
        finally:
            for end in (source, sink):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


class Daemon:
    """A daemon that can be ended and started again in the same place."""

    def __init__(self, *flags):
        self.folder = tempfile.mkdtemp(prefix="continuo-test-py.")
        self.address = f"unix:{self.folder}/socket"
        for name in ("media", "takes", "state"):
            os.mkdir(os.path.join(self.folder, name))
        open(os.path.join(self.folder, "continuod.toml"), "w", encoding="utf-8").close()
        self._flags = flags
        self._process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.folder)

    def start(self):
        with open(os.path.join(self.folder, "log"), "a", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                [os.path.join(os.environ["CONTINUO_BIN"], "continuod"), "--config", f"{self.folder}/continuod.toml",
                 "--listen", self.address, "--state-folder", f"{self.folder}/state", "--take-folder", f"{self.folder}/takes",
                 "--media-root", f"media={self.folder}/media", "--device=clock", *self._flags],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        with continuo.Client(self.address, retry_s=PATIENCE_S, timeout_s=PATIENCE_S) as client:
            client.info()

    def stop(self, how=signal.SIGTERM):
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE_S)
            self._process = None


def make_wav(path, frames, channels=1, rate=48000):
    """Noise, 16 bits."""
    subprocess.run([os.path.join(os.environ["CONTINUO_SUPPORT"], "wav.py"), "make", path, str(channels), str(frames), str(rate)],
                   check=True)
    return path


class WithDaemon(unittest.TestCase):
    """For each test a client of the daemon at $CONTINUO_SERVER, an empty session, and a folder."""

    def setUp(self):
        self.client = continuo.Client(name="test", timeout_s=PATIENCE_S)
        self.addCleanup(self.client.close)
        self.client.record_stop()
        self.client.load({"format": 1})
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def tracks(self, *names):
        with self.client.transaction() as tx:
            for name in names:
                tx.add_track(name)
        return tx.answer

    def proxy(self):
        way = Proxy(os.environ["CONTINUO_SERVER"])
        self.addCleanup(way.__exit__)
        return way
