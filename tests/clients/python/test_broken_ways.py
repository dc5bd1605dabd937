"""What becomes of calls where the way to the daemon ($CONTINUO_SERVER) breaks."""

import hashlib
import os
import pathlib
import threading
import unittest

import continuo
from support import PATIENCE_S, WithDaemon, until


class BrokenWays(WithDaemon):
    def test_no_daemon(self):
        with continuo.Client("unix:/nowhere/socket", retry_s=0.2) as client:
            with self.assertRaises(continuo.NoServerError) as caught:
                client.status()
            self.assertEqual((caught.exception.exit_code, caught.exception.reason), (69, "NO_SERVER"))
            self.assertIn("/nowhere/socket", str(caught.exception))
        with self.assertRaises(continuo.UsageError):
            client.status()

    def test_an_edit_while_nobody_answers_is_applied_once(self):
        answer = self.tracks("vox")
        way = self.proxy()
        with continuo.Client(way.address, retry_s=PATIENCE_S, timeout_s=PATIENCE_S) as client:
            client.info()
            way.down()
            came = []
            thread = threading.Thread(target=lambda: came.append(client.set("vox.gain_db", -4)))
            thread.start()
            way.up()
            thread.join(PATIENCE_S)
        self.assertEqual(came[0].revision.number, answer.revision.number + 1)

    def test_an_edit_whose_answer_is_lost_is_applied_once(self):
        answer = self.tracks("vox")
        way = self.proxy()
        with continuo.Client(way.address, retry_s=PATIENCE_S, timeout_s=PATIENCE_S) as client, \
                self.client.watch(answer.revision) as watch:
            client.info()
            way.swallow = True
            came = []
            thread = threading.Thread(target=lambda: came.append(client.set("vox.gain_db", -5)))
            thread.start()
            change = next(event for event in watch if isinstance(event, continuo.Change))
            way.swallow = False
            way.drop()
            thread.join(PATIENCE_S)
        self.assertEqual((came[0].transaction_id, came[0].revision), (change.transaction_id, change.revision))
        self.assertEqual(self.client.session().revision.number, answer.revision.number + 1)

    def test_an_upload_goes_on_where_it_broke_off(self):
        source = self.folder / "long.bin"
        source.write_bytes(os.urandom(1 << 20) * 6)
        way = self.proxy()
        way.cut_at_byte = 3 << 20
        told = []
        with continuo.Client(way.address, retry_s=PATIENCE_S, timeout_s=PATIENCE_S) as client:
            path = client.media.put(source, "media:up/", progress=lambda done, all: told.append((done, all)))
        self.assertEqual((path, told[-1]), ("media:up/long.bin", (6 << 20, 6 << 20)))
        self.assertIsNone(way.cut_at_byte, "the way did not break")
        self.assertLess(way.bytes_up, 11 << 20)
        there = pathlib.Path(os.environ["MEDIA"]) / "up" / "long.bin"
        self.assertEqual(there.read_bytes(), source.read_bytes())
        back = self.client.media.get(path, self.folder / "back.bin")
        self.assertEqual(hashlib.sha256(back.read_bytes()).digest(), hashlib.sha256(source.read_bytes()).digest())
        with self.assertRaises(continuo.ExistsError):
            self.client.media.put(source, path)
        source.write_bytes(b"short")
        self.client.media.put(source, path, overwrite=True)
        self.assertEqual(there.read_bytes(), b"short")
        self.assertEqual([entry.path for entry in self.client.media.list("media:up")], [path])
        self.client.media.delete(path)
        with self.assertRaises(continuo.NotFoundError) as caught:
            self.client.media.get(path, self.folder / "none.bin")
        self.assertEqual(caught.exception.reason, "FILE_NOT_FOUND")
        self.assertEqual(sorted(os.listdir(self.folder)), ["back.bin", "long.bin"])

    def test_an_upload_whose_answer_is_lost_is_there(self):
        source = self.folder / "lost.bin"
        source.write_bytes(b"x" * 1000)
        there = pathlib.Path(os.environ["MEDIA"]) / "lost.bin"
        way = self.proxy()
        with continuo.Client(way.address, retry_s=PATIENCE_S, timeout_s=PATIENCE_S) as client:
            held = client.media._held
            client.media._held = lambda begin: (held(begin), setattr(way, "swallow", True))[0]
            came = []
            thread = threading.Thread(target=lambda: came.append(client.media.put(source, "media:")))
            thread.start()
            until(there.exists, "the upload")
            client.media._held = held
            way.swallow = False
            way.drop()
            thread.join(PATIENCE_S)
        self.assertEqual(came, ["media:lost.bin"])
        there.unlink()

    def test_a_download_goes_on(self):
        there = pathlib.Path(os.environ["MEDIA"]) / "down.bin"
        there.write_bytes(os.urandom(1 << 20) * 4)
        way = self.proxy()
        cuts = []

        def cut(done, _):
            if done > 1 << 20 and not cuts:
                cuts.append(done)
                way.drop()
        with continuo.Client(way.address, retry_s=PATIENCE_S, timeout_s=PATIENCE_S) as client:
            back = client.media.get("media:down.bin", self.folder, progress=cut)
        self.assertEqual(back.read_bytes(), there.read_bytes())
        self.assertEqual(len(cuts), 1)
        there.unlink()


if __name__ == "__main__":
    unittest.main()
