"""Messages become events, and changes a document that follows; without a daemon."""

import json
import unittest

import continuo
from continuo import v1
from continuo.document import FollowedDocument
from continuo.events import EventReader
from continuo.meters import MeterReader


class Events(unittest.TestCase):
    def test_a_snapshot_that_begins_anew(self):
        reader = EventReader()
        text = b'{\n  "format": 1,\n  "name": "x"\n}\n'
        self.assertIsNone(reader.read(v1.WatchResponse(snapshot=b'{\n  "format": 1,\n  "na')))
        begin = v1.WatchResponse.SnapshotBegin(revision=v1.Revision(epoch=3, number=4), bytes=len(text))
        self.assertIsNone(reader.read(v1.WatchResponse(snapshot_begin=begin)))
        for at in range(0, len(text), 20):
            self.assertIsNone(reader.read(v1.WatchResponse(snapshot=text[at:at + 20])))
        end = v1.WatchResponse.SnapshotEnd(revision=v1.Revision(epoch=3, number=4), resync=True)
        self.assertEqual(reader.read(v1.WatchResponse(snapshot_end=end)),
                         continuo.Snapshot({"format": 1, "name": "x"}, continuo.Revision(3, 4), True))
        self.assertEqual(reader.request().from_revision, v1.Revision(epoch=3, number=4))
        with self.assertRaises(continuo.FaultError):
            reader.read(v1.WatchResponse(snapshot_end=end))

    def test_sequences(self):
        reader = EventReader(continuo.Revision(3, 4))
        self.assertFalse(reader.request().HasField("from_sequence"))
        applied = v1.WatchResponse.Applied(transaction_id=7)
        for sequence in (11, 12):
            reader.read(v1.WatchResponse(applied=applied, sequence=sequence))
        reader.read(v1.WatchResponse(heartbeat=v1.WatchResponse.Heartbeat(), sequence=12))
        self.assertEqual(reader.request(), v1.WatchRequest(from_revision=v1.Revision(epoch=3, number=4), from_sequence=12))
        with self.assertRaises(continuo.FaultError) as raised:
            reader.read(v1.WatchResponse(applied=applied, sequence=14))
        self.assertEqual(raised.exception.reason, "GAP")
        reader.forget()
        self.assertEqual(reader.request(), v1.WatchRequest())
        reader.read(v1.WatchResponse(snapshot=b"{}"))
        reader.read(v1.WatchResponse(snapshot_end=v1.WatchResponse.SnapshotEnd(revision=v1.Revision(epoch=1, number=1)), sequence=20))
        reader.read(v1.WatchResponse(applied=applied, sequence=21))

    def test_what_a_newer_daemon_says(self):
        self.assertIsInstance(EventReader().read(v1.WatchResponse()), continuo.Unknown)
        event = EventReader().read(v1.WatchResponse(take=v1.WatchResponse.TakeEvent(kind=99)))
        self.assertEqual((event.kind, event.take), ("99", None))

    def test_meters(self):
        reader = MeterReader()
        layout = [v1.MeterFrame.MeterInfo(node="a", channels=2), v1.MeterFrame.MeterInfo(node="b", channels=1)]
        first = reader.read(v1.MeterFrame(layout=layout, peak_db=[-1, -2, -3], rms_db=[-4, -5, float("nan")], not_measured=[1]))
        self.assertEqual((first["a"].peak_db, first["b"].rms_db), ((-1, None), (None,)))
        self.assertEqual(reader.read(v1.MeterFrame(peak_db=[0, 0, 0], rms_db=[0, 0, 0])).levels[1].node, "b")
        with self.assertRaises(KeyError):
            first["c"]


class Document(unittest.TestCase):
    def followed(self, document=None):
        document = document or {"format": 1, "nodes": [{"id": "a", "type": "bus"}, {"id": "b", "type": "container", "children": [
            {"id": "c", "type": "bus", "params": {"gain_db": -3}}]}], "connections": [{"from": "b/c:pre", "to": "out:3"}]}
        followed = FollowedDocument({"bus": {"gain_db": 0.0, "pan": 0.0}})
        followed.take(continuo.Snapshot(document, continuo.Revision(1, 5), False))
        return followed

    def change(self, number, fill, epoch=1):
        tx = continuo.Operations()
        fill(tx)
        return continuo.Change(continuo.Revision(epoch, number), 1, tuple(tx.operations), v1.Origin())

    def test_operations_are_followed_and_the_old_document_stays(self):
        followed = self.followed()
        before, text = followed.document, json.dumps(followed.document)

        def fill(tx):
            tx.set("b/c.gain_db", 0)
            tx.set("a.pan", 0.5)
            tx.move_node("b/c", "", id="d", before="a")
            tx.connect("a", "d", gain_db=-6, channels=[(1, 2)])
            tx.set_label("a", "A")
            tx.automate("a.pan", [(0, 1, "linear"), (5, 0.5, "hold")], on=False)
        self.assertTrue(followed.follow(self.change(6, fill)))
        self.assertEqual(json.dumps(before), text)
        self.assertEqual(followed.document, {"format": 1, "nodes": [
            {"id": "d", "type": "bus"},
            {"id": "a", "type": "bus", "label": "A", "params": {"pan": 0.5}, "automation": {
                "pan": {"on": False, "points": [{"frame": 0, "value": 1}, {"frame": 5, "value": 0.5, "curve": "hold"}]}}},
            {"id": "b", "type": "container"}],
            "connections": [{"from": "d:pre", "to": "out:3"}, {"from": "a", "to": "d", "gain_db": -6, "channels": [{"from": 1, "to": 2}]}]})
        self.assertTrue(followed.follow(self.change(7, lambda tx: (tx.remove_node("d"), tx.clear_automation("a.pan"), tx.set_label("a", "")))))
        self.assertEqual(followed.document, {"format": 1, "nodes": [{"id": "a", "type": "bus", "params": {"pan": 0.5}},
                                                                      {"id": "b", "type": "container"}]})

    def test_a_connection_comes_back_in_its_place(self):
        followed = self.followed()
        place = lambda tx: tx.add(v1.Operation(connect=v1.Connect(**{"from": "a"}, to="b/c", place=1, uid=7)))
        self.assertTrue(followed.follow(self.change(6, place)))
        self.assertEqual(followed.document["connections"], [{"from": "a", "to": "b/c"}, {"from": "b/c:pre", "to": "out:3"}])

    def test_what_is_not_followed_changes_nothing(self):
        cases = (lambda tx: tx.queue_insert("a", ["x"]), lambda tx: tx.go(), lambda tx: tx.set_label("out", "x"), lambda tx: tx.add(v1.Operation()),
                 lambda tx: tx.set("a.unknown", 1), lambda tx: tx.set("nobody.pan", 1), lambda tx: tx.remove_node("b/x"),
                 lambda tx: tx.add_node("e", "bus", before="out"), lambda tx: tx.clear_automation("a.pan"))
        for number, case in enumerate(cases):
            followed = self.followed()
            before = json.dumps(followed.document)
            with self.subTest(number):
                self.assertFalse(followed.follow(self.change(6, lambda tx: (tx.set("a.pan", 1), case(tx)))))
                self.assertEqual((json.dumps(followed.document), followed.revision.number), (before, 5))

    def test_gaps_and_what_is_old(self):
        followed = self.followed()
        self.assertFalse(followed.follow(self.change(7, lambda tx: tx.play())))
        self.assertFalse(followed.follow(self.change(6, lambda tx: tx.play(), epoch=2)))
        self.assertTrue(followed.follow(self.change(5, lambda tx: tx.queue_remove("a"))))
        self.assertTrue(followed.follow(self.change(4, lambda tx: tx.remove_node("a"))))
        self.assertFalse(followed.replace({}, continuo.Revision(1, 4)))
        self.assertFalse(followed.replace({}, continuo.Revision(2, 9)))
        self.assertEqual(len(followed.document["nodes"]), 2)
        self.assertTrue(followed.replace({}, continuo.Revision(1, 9)))
        self.assertTrue(followed.follow(self.change(8, lambda tx: tx.remove_node("a"))))


if __name__ == "__main__":
    unittest.main()
