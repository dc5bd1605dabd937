"""The examples of clients/python/examples, run as a person runs them, against a daemon ($CONTINUO_SERVER)."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import wave

import continuo
from support import PATIENCE_S, make_wav

EXAMPLES = pathlib.Path(os.environ["CONTINUO_SUPPORT"]).parent.parent / "clients" / "python" / "examples"


class Examples(unittest.TestCase):
    def setUp(self):
        self.client = continuo.Client(timeout_s=PATIENCE_S)
        self.addCleanup(self.client.close)
        self.client.load({"format": 1})
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_example(self, *arguments, code=0):
        done = subprocess.run([sys.executable, "-B", EXAMPLES / arguments[0], *map(str, arguments[1:])],
                              capture_output=True, text=True, timeout=PATIENCE_S * 3)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout if code == 0 else done.stderr

    def test_play_a_file(self):
        for place in (os.environ["MEDIA"], str(self.folder)):  # in a media root, and to be uploaded
            said = self.run_example("play_a_file.py", make_wav(f"{place}/played.wav", 24000))
            self.assertRegex(said.splitlines()[-1], r"^ *\d+\.\d\d s")
        self.assertEqual(self.client.session().document, {"format": 1})
        self.assertNotIn("takes:played.wav", [entry.path for entry in self.client.media.list("takes:")])
        self.assertIn("FILE_NOT_READABLE", self.run_example("play_a_file.py", self.folder / "none.wav", code=66))

    def test_record_a_take(self):
        with self.client.transaction() as tx:
            tx.add_track("tone")
            tx.add_node("tone/osc", "oscillator", {"gain_db": -20})
        said = self.run_example("record_a_take.py", "out", "--seconds", "0.5", "--to", self.folder)
        self.assertIn("24000 frames of 2 channels at 48000 Hz, 0 lost", said)
        self.assertTrue(os.path.exists(said.split(": ")[0]))
        self.assertIn("UNKNOWN_NODE", self.run_example("record_a_take.py", "nobody", code=66))

    def test_fade_three_tracks(self):
        with self.client.transaction() as tx:
            for name in "abc":
                tx.add_track(name)
        said = self.run_example("fade_three_tracks.py", "a", "b", "c", "--to", "-40", "--ms", "200")
        self.assertEqual(len(re.findall(r"^[abc]: 0 dB -> -40 dB from engine frame \d+$", said, re.M)), 3)
        self.assertEqual(len(set(re.findall(r"frame (\d+)", said))), 1)
        self.assertIn("UNKNOWN_NODE", self.run_example("fade_three_tracks.py", "a", "b", "x", code=66))

    def test_batch_render_folder(self):
        make_wav(self.folder / "a.wav", 4800)
        for number in range(5):
            session = {"format": 1, "sample_rate_hz": 48000, "connections": [{"from": "a", "to": "out"}], "nodes": [
                {"id": "a", "type": "track", "params": {"gain_db": -number}, "children": [
                    {"id": "p", "type": "player", "params": {"file": "a.wav"}}]}]}
            (self.folder / f"s{number}.json").write_text(json.dumps(session))
        said = self.run_example("batch_render_folder.py", self.folder, self.folder / "out", "-j", "3", "--", "--bits", "16")
        self.assertEqual(len(set(re.findall(r"^s\d\.json: 4800 frames, .* ([0-9a-f]{64})$", said, re.M))), 5)
        with wave.open(str(self.folder / "out" / "s3.wav")) as made:
            self.assertEqual((made.getnframes(), made.getsampwidth()), (4800, 2))
        self.assertIn("exit code 73", self.run_example("batch_render_folder.py", self.folder, self.folder / "out", code=73))
        self.run_example("batch_render_folder.py", self.folder / "out", self.folder / "out", code=66)


if __name__ == "__main__":
    unittest.main()
