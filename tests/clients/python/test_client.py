"""Every call against a daemon ($CONTINUO_SERVER)."""

import datetime
import itertools
import os
import pathlib
import unittest
import wave

import continuo
from support import PATIENCE_S, WithDaemon, make_wav, until


class Transactions(WithDaemon):
    def test_one_transaction_one_frame(self):
        before = self.client.session().revision
        with self.client.transaction(max_wait_s=PATIENCE_S) as tx:
            with self.assertRaises(continuo.UsageError):
                tx.answer
            tx.add_track("vox")
            tx.set("vox.gain_db", -6, ramp_ms=500)
            tx.add_node("vox/eq", "eq", {"band1.gain_db": 3}, label="Voice")
            tx.play()
        self.assertTrue(tx.answer.applied)
        self.assertEqual(tx.answer.revision, continuo.Revision(before.epoch, before.number + 1))
        self.assertGreaterEqual(tx.answer.engine_frame, 0)
        self.assertTrue(self.client.clock().rolling)
        self.assertEqual(self.client.session().document["nodes"][0]["children"][0]["label"], "Voice")
        params = {param.spec.name: param.value for param in self.client.params("vox").params}
        self.assertEqual(params["gain_db"].number_value, -6)
        self.assertFalse(self.client.stop().revision.number > tx.answer.revision.number)

    def test_a_block_that_raises_sends_nothing(self):
        before = self.client.session()
        with self.assertRaises(ZeroDivisionError), self.client.transaction() as tx:
            tx.add_track("vox")
            1 / 0
        with self.client.transaction() as empty:
            pass
        with self.assertRaises(continuo.UsageError):
            empty.answer
        self.assertEqual(self.client.session(), before)

    def test_a_refusal_names_operation_field_and_reason(self):
        self.tracks("vox")
        before = self.client.session()
        with self.assertRaises(continuo.BadDataError) as caught, self.client.transaction(request_id="the-id") as tx:
            tx.set("vox.pan", 0.5)
            tx.set("vox.gain_db", 99)
        error = caught.exception
        self.assertEqual((error.reason, error.field, error.exit_code, error.status, error.request_id),
                         ("OUT_OF_RANGE", "operations[1].set_params.values.gain_db", 65, "INVALID_ARGUMENT", "the-id"))
        self.assertEqual(self.client.session(), before)
        for kind, wrong in ((continuo.NotFoundError, lambda tx: tx.set("nobody.pan", 0)),
                            (continuo.ExistsError, lambda tx: tx.add_track("vox"))):
            with self.assertRaises(kind), self.client.transaction() as tx:
                wrong(tx)

    def test_undo_and_redo(self):
        self.tracks("vox")
        whole = self.client.session().document
        uid = self.client.params("vox").uid
        with self.client.transaction() as tx:
            tx.remove_node("vox")
        self.assertEqual(self.client.undo(dry_run=True).outcome, "VALID")
        back = self.client.undo(max_wait_s=PATIENCE_S)
        self.assertTrue(back.applied)
        self.assertEqual((self.client.session().document, self.client.params("vox").uid), (whole, uid))
        self.client.redo(back.transaction_id)
        with self.assertRaises(continuo.NotFoundError):
            self.client.params("vox")
        with self.assertRaises(continuo.NotFoundError):
            self.client.redo()

    def test_dry_run(self):
        before = self.client.session()
        with self.client.transaction(dry_run=True) as tx:
            tx.add_track("vox")
        self.assertEqual((tx.answer.outcome, tx.answer.valid), ("VALID", True))
        with self.client.transaction(dry_run=True) as tx:
            tx.set("vox.gain_db", 1)
        self.assertFalse(tx.answer.valid)
        self.assertEqual(tx.answer.problems[0].reason, "UNKNOWN_NODE")
        self.assertEqual(self.client.session(), before)

    def test_expected_revision(self):
        answer = self.tracks("vox")
        self.client.set("vox.gain_db", -1, expected=answer.revision)
        with self.assertRaises(continuo.TryAgainError) as caught:
            self.client.set("vox.gain_db", -2, expected=answer.revision)
        self.assertEqual((caught.exception.status, caught.exception.exit_code), ("ABORTED", 75))

    def test_the_same_id_is_applied_once(self):
        self.tracks("vox")
        first = self.client.set("vox.gain_db", -1, request_id="once")
        again = self.client.set("vox.gain_db", -1, request_id="once")
        self.assertEqual((first.transaction_id, first.revision, first.engine_frame),
                         (again.transaction_id, again.revision, again.engine_frame))
        with self.assertRaises(continuo.BadDataError):
            self.client.set("vox.gain_db", -2, request_id="once")

    def test_waiting(self):
        self.tracks("vox")
        self.assertIn(self.client.set("vox.gain_db", -1, wait="committed").outcome, ("COMMITTED", "APPLIED"))
        self.assertEqual(self.client.set("vox.gain_db", -2, wait="applied", max_wait_s=PATIENCE_S).outcome, "APPLIED")

    def test_later(self):
        self.tracks("vox")
        for at in ("+90s", datetime.timedelta(seconds=90), "1:30", "4320000f", continuo.timeline(4320000),
                   datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=90)):
            with self.subTest(at):
                answer = self.client.set("vox.gain_db", -3, at=at)
                self.assertEqual((answer.outcome, answer.engine_frame), ("SCHEDULED", None))
        waiting = self.client.scheduled()
        self.assertEqual(len(waiting), 6)
        self.assertEqual({each.when.timeline_frame for each in waiting if each.when.HasField("timeline_frame")}, {4320000})
        for each in waiting:
            self.client.cancel(each.transaction_id)
        self.assertEqual(self.client.scheduled(), [])
        with self.assertRaises(continuo.NotFoundError):
            self.client.cancel(waiting[0].transaction_id)

    def test_automation_queues_and_cues(self):
        media = os.environ["MEDIA"]
        names = [os.path.basename(make_wav(f"{media}/{n}.wav", 4800)) for n in ("q1", "q2", "q3")]
        step, fade = continuo.Operations(), continuo.Operations()
        step.play("deck/p")
        fade.set("deck.gain_db", -20, ramp_ms=10)
        with self.client.transaction() as tx:
            tx.add_track("deck")
            tx.add_node("deck/p", "player", {"mode": "free"})
            tx.queue_insert("deck/p", [f"media:{name}" for name in names])
            tx.queue_set("deck/p", continuo.number(2), {"gain_db": -3})
            tx.queue_move("deck/p", continuo.number(3), before=continuo.number(1))
            tx.automate("deck.pan", [(0, -1), (48000, 1, "hold")])
            tx.cue_insert("1", step, "Go on")
            tx.cue_insert("2", fade, after="1")
            tx.cue_set("2", label="Down")
            tx.cue_next("1")
        document = self.client.session().document
        self.assertEqual([item["file"] for item in document["nodes"][0]["children"][0]["queue"]],
                         ["media:q3.wav", "media:q1.wav", "media:q2.wav"])
        self.assertEqual([cue["label"] for cue in document["cues"]], ["Go on", "Down"])
        with self.assertRaises(continuo.BadDataError) as caught:
            self.client.set("deck.pan", 0)
        self.assertEqual(caught.exception.reason, "AUTOMATED")
        self.assertTrue(self.client.go(expected_cue="1", max_wait_s=PATIENCE_S).applied)
        with self.assertRaises(continuo.TryAgainError) as caught:
            self.client.go(expected_cue="1")
        self.assertEqual(caught.exception.reason, "NOT_NEXT")
        uid = self.client.params("deck/p").queue[0].uid
        with self.client.transaction() as tx:
            tx.skip("deck/p", item=continuo.number(2))
            tx.skip("deck/p")
            tx.queue_remove("deck/p", uid)
            tx.cue_move("2", before="1")
            tx.cue_remove("1")
            tx.clear_automation("deck.pan")
            tx.stop("deck/p")
        self.assertEqual(len(self.client.params("deck/p").queue), 2)

    def test_load_save(self):
        self.tracks("vox")
        file = self.folder / "s.json"
        text = self.client.save(file)
        self.assertEqual(file.read_bytes(), text.text)
        with self.assertRaises(continuo.ExistsError):
            self.client.save(file)
        loaded = self.client.load(file)
        self.assertNotEqual(loaded.revision.epoch, text.revision.epoch)
        self.assertEqual(self.client.session().text, text.text)
        self.client.load(b'{"format": 1, "name": "x"}', dry_run=True)
        self.assertEqual(self.client.session().text, text.text)
        with self.assertRaises(continuo.BadDataError) as caught:
            self.client.load({"format": 1, "nodse": []})
        self.assertEqual(caught.exception.reason, "UNKNOWN_FIELD")
        media = pathlib.Path(os.environ["MEDIA"])
        make_wav(str(media / "song.wav"), 480)
        relative = media / "relative.json"
        relative.write_text('{"format": 1, "nodes": [{"id": "p", "type": "track", "children": ['
                            '{"id": "p", "type": "player", "params": {"file": "song.wav"}}]}]}')
        self.assertEqual(self.client.load(relative).warnings, ())

    def test_a_large_session_comes_whole(self):
        document = {"format": 1, "nodes": [{"id": f"b{n}", "type": "bus", "label": "x" * 200} for n in range(3000)]}
        self.client.load(document)
        self.assertEqual(self.client.session().document, document)
        with self.client.mirror() as mirror:
            self.assertEqual(mirror.document, document)
            self.assertEqual(len(list(continuo.walk(mirror.document))), 3000)

    def test_what_is_asked(self):
        self.assertEqual(self.client.info().api_level, 1)
        self.assertGreater(self.client.clock().engine_rate_hz, 0)
        self.assertIn("track", [each.name for each in self.client.types()])
        self.assertIsInstance(self.client.devices(), list)
        self.tracks("vox")
        edits = lambda: [event for event in self.client.events(kinds=["edit"], page=2) if event.origin.client == "test"]
        until(edits, "the edit in the journal")
        told = list(self.client.events(page=2))
        self.assertEqual([e.id for e in told], sorted({e.id for e in told}))
        self.assertGreater(min((e.id for e in self.client.events(after_id=told[-1].id)), default=told[-1].id + 1), told[-1].id)
        with self.assertRaises(continuo.NotFoundError):
            self.client.params("nobody")
        with self.assertRaises(continuo.NotFoundError):
            self.client.use_device("no such device at all")

    def test_meters(self):
        with self.client.transaction() as tx:
            tx.add_track("tone")
            tx.add_node("tone/osc", "oscillator", {"gain_db": -20})
        level = None
        for meters in itertools.islice(self.client.meters("tone", "out", rate_hz=100), 3000):
            level = meters["tone"].peak_db[0]
            if level is not None and level > -30:
                break
        self.assertEqual([each.node for each in meters.levels], ["tone", "out"])
        self.assertTrue(-30 < level < -19, level)
        with self.assertRaises(continuo.BadDataError):
            next(self.client.meters(rate_hz=7))

    def test_takes(self):
        self.tracks("vox")
        with self.client.transaction() as tx:
            tx.record_start("vox", file="takes:py-exact.wav", frames=4800)
        self.assertEqual(tx.answer.takes, ("takes:py-exact.wav",))
        take = self.client.wait_take(tx.answer.take_ids[0], PATIENCE_S)
        self.assertEqual((take.frames, take.error, take.recording), (4800, "", False))
        with self.client.transaction() as tx:
            tx.record_start("vox", format="PCM24")
        with self.assertRaises(continuo.TryAgainError):
            self.client.wait_take(tx.answer.take_ids[0], 0.05)
        stopped = self.client.record_stop("vox", max_wait_s=PATIENCE_S)
        self.assertEqual([take.file for take in stopped.closed_takes], list(tx.answer.takes))
        fetched = self.client.media.get("takes:py-exact.wav", self.folder)
        self.assertEqual(fetched, self.folder / "py-exact.wav")

    def test_a_probe(self):
        make_wav(os.environ["MEDIA"] + "/probe.wav", 4800, 2, 44100)
        found = self.client.media.probe("media:probe.wav")
        self.assertEqual((found.playable, found.frames, found.channels, found.sample_rate_hz), (True, 4800, 2, 44100))
        with wave.open(os.environ["MEDIA"] + "/probe.wav") as same:
            self.assertEqual(same.getnframes(), 4800)
        self.assertIn("media:", [entry.path for entry in self.client.media.list()])
        with self.assertRaises(continuo.RefusedError) as caught:
            self.client.media.probe("media:../etc/passwd")
        self.assertEqual((caught.exception.reason, caught.exception.exit_code), ("OUTSIDE_ROOT", 77))


if __name__ == "__main__":
    unittest.main()
