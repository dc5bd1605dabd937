"""Whoever edits, drops and comes back, over restarts of the daemon: everybody ends with the daemon's document."""

import asyncio
import os
import random
import signal
import threading
import unittest

import continuo
from edits import RandomEdits
from support import PATIENCE_S, Daemon, Proxy, make_wav

SEED = int(os.environ.get("CONTINUO_SEED", random.randrange(1 << 30)))
EDITORS = 3
EDITS = 240  # of each
ROUNDS = 12


class NoGap:
    """Hears a mirror's events: within one epoch, numbers rise by one, and only a snapshot leads elsewhere. Keeps what the
    mirror had at each revision."""

    def __init__(self, mirror):
        self.mirror = mirror
        self.at = mirror.revision
        self.faults = []
        self.seen = {}
        self.documents = {}
        mirror.listen(self)

    def __call__(self, event):
        self.seen[type(event).__name__] = self.seen.get(type(event).__name__, 0) + 1
        self.documents[self.mirror.revision] = self.mirror.document
        if isinstance(event, continuo.Snapshot):
            self.at = event.revision
        elif isinstance(event, continuo.Change):
            step = event.revision.number - self.at.number
            if event.revision.epoch != self.at.epoch or step not in (0, 1):
                self.faults.append((self.at, event.revision))
            self.at = event.revision


class Editor(threading.Thread):
    """Edits through a way that breaks. Waits at the gate after each share of its edits, so that what the test does in
    between falls among them."""

    def __init__(self, number, way, gate):
        super().__init__(daemon=True)
        self.way, self.gate = way, gate
        self.edits = RandomEdits(random.Random(SEED * 10 + number), "abc"[number])
        self.accepted = 0
        self.truths = []
        self.failure = None

    def run(self):
        try:
            with continuo.Client(self.way.address, retry_s=PATIENCE_S, timeout_s=PATIENCE_S) as client:
                for count in range(EDITS):
                    if count % (EDITS // ROUNDS) == 0:
                        self.gate.wait(PATIENCE_S * 2)
                    self.edit(client)
        except BaseException as error:
            self.failure = error

    def edit(self, client):
        try:
            with client.transaction(wait="committed") as tx:
                truth = client.session()
                self.truths.append(truth)
                self.edits.fill(tx, truth.document)
            self.accepted += 1 if tx.operations else 0
        except (continuo.BadDataError, continuo.NotFoundError, continuo.ExistsError, continuo.TryAgainError):
            pass  # somebody else was faster, or it was nonsense


class OneDocument(unittest.TestCase):
    def test_random_edits_drops_and_restarts(self):
        print(f"CONTINUO_SEED={SEED}")
        with Daemon("--start-playback=resume") as daemon, Proxy(daemon.address) as ways, Proxy(daemon.address) as watched, \
                continuo.Client(watched.address, retry_s=0.5) as first, continuo.Client(watched.address, retry_s=0.5) as second, \
                first.mirror(timeout_s=PATIENCE_S) as mirror, second.mirror(timeout_s=PATIENCE_S) as other:
            for name in ("a", "b"):
                make_wav(f"{daemon.folder}/media/{name}.wav", 4800)
            no_gap = NoGap(mirror)
            gate = threading.Barrier(EDITORS + 1)
            editors = [Editor(number, ways, gate) for number in range(EDITORS)]
            for editor in editors:
                editor.start()
            dice = random.Random(SEED)
            for number in range(ROUNDS):
                gate.wait(PATIENCE_S * 2)
                self.disturb(number, dice, daemon, ways, watched, mirror)
            for editor in editors:
                editor.join(PATIENCE_S * 5)
                self.assertFalse(editor.is_alive(), "an editor hangs")
                self.assertIsNone(editor.failure)
            self.assertGreater(sum(editor.accepted for editor in editors), EDITORS * EDITS / 5)
            with continuo.Client(daemon.address) as client:
                truth = client.session()
            for each in (mirror, other):
                each.wait_until(truth.revision, PATIENCE_S)
                self.assertEqual(each.revision, truth.revision)
                self.assertEqual(each.document, truth.document)
            self.assertEqual(no_gap.faults, [])
            truths = [truth for editor in editors for truth in editor.truths if truth.revision in no_gap.documents]
            self.assertGreater(len(truths), EDITS / 2, "the mirror and the editors saw nothing in common")
            for truth in truths:
                self.assertEqual(no_gap.documents[truth.revision], truth.document, truth.revision)
            for kind in ("Snapshot", "Change", "Disconnected"):
                self.assertGreater(no_gap.seen.get(kind, 0), 0, no_gap.seen)

    def disturb(self, number, dice, daemon, ways, watched, mirror):
        if number in (4, 8):  # a restart, once in order and once not
            daemon.stop(signal.SIGTERM if number == 4 else signal.SIGKILL)
            daemon.start()
        elif number == 10:
            with continuo.Client(daemon.address) as client:
                client.load(client.session().document, base="media:")
        elif number == 2:
            watched.down()
            watched.up()
        elif number == 6:
            mirror._watch.resync()
        else:
            dice.choice((ways, watched)).drop()

    def test_local_edits_are_followed_and_not_fetched(self):
        with Daemon() as daemon, continuo.Client(daemon.address) as client, client.mirror(timeout_s=PATIENCE_S) as mirror:
            fetched = []
            fetch, client.session = client.session, lambda: fetched.append(1) or fetch()
            dice = random.Random(7)
            edits = RandomEdits(dice, "x")
            edits.queue = edits.cue = lambda *_: None
            count = 0
            while count < 60:
                with self.subTest(count), client.transaction(wait="committed") as tx:
                    edits.fill(tx, mirror.document)
                    tx.operations[:] = [op for op in tx.operations
                                        if op.set_label.path not in ("in", "out")]
                    count += 1
                    try:
                        if tx.operations:
                            answer = client.apply(tx.operations, wait="committed")
                            mirror.wait_until(answer.revision, PATIENCE_S)
                            self.assertEqual(mirror.document, fetch().document)
                    except (continuo.BadDataError, continuo.NotFoundError, continuo.ExistsError):
                        pass
                    tx.operations.clear()
            self.assertEqual(fetched, [])
            self.assertGreater(mirror.revision.number, 20)

    def test_what_cannot_be_followed_is_fetched_or_comes_whole(self):
        with Daemon() as daemon, continuo.Client(daemon.address) as client, client.mirror(timeout_s=PATIENCE_S) as mirror:
            make_wav(f"{daemon.folder}/media/a.wav", 480)
            with client.transaction() as tx:
                tx.add_track("deck")
                tx.add_node("deck/p", "player", {"mode": "free"})
                tx.queue_insert("deck/p", ["media:a.wav"])
                tx.set_label("out", "PA")
            mirror.wait_until(tx.answer.revision, PATIENCE_S)
            self.assertEqual(mirror.document, client.session().document)
            self.assertEqual(mirror.node("out")["label"], "PA")
            # The same while the fetch fails: the stream brings the whole document.
            fetch, client.session = client.session, lambda: (_ for _ in ()).throw(continuo.TryAgainError("no"))
            with client.transaction() as tx:
                tx.queue_remove("deck/p")
            mirror.wait_until(tx.answer.revision, PATIENCE_S)
            client.session = fetch
            self.assertEqual(mirror.document, client.session().document)
            self.assertNotIn("queue", mirror.node("deck/p"))

    def test_a_mirror_without_a_daemon(self):
        with continuo.Client("unix:/nowhere/socket") as client:
            with self.assertRaises(continuo.TryAgainError):
                client.mirror(timeout_s=0.3).__enter__()
            watch = client.watch(reconnect=False)
            with self.assertRaises(continuo.NoServerError) as caught:
                next(watch)
            self.assertEqual(caught.exception.exit_code, 69)
            self.assertRaises(StopIteration, next, watch)

    def test_a_watch_is_closed_from_another_thread(self):
        with Daemon() as daemon, continuo.Client(daemon.address) as client:
            watch = client.watch()
            self.assertIsInstance(next(watch), continuo.Snapshot)
            threading.Timer(0.1, watch.close).start()
            self.assertTrue(all(isinstance(event, continuo.Heartbeat) for event in watch))

    def test_a_watch_goes_on_from_a_revision(self):
        with Daemon() as daemon, continuo.Client(daemon.address) as client:
            begin = client.session().revision
            client.apply(added("one"))
            with client.watch(begin) as watch:
                event = next(watch)
                self.assertIsInstance(event, continuo.Change)
                self.assertEqual(event.revision.number, begin.number + 1)
            stale = continuo.Revision(begin.epoch + 1, 1)
            with client.watch(stale) as watch:
                event = next(watch)
                self.assertIsInstance(event, continuo.Snapshot)
                self.assertTrue(event.resync)

    def test_the_same_with_asyncio(self):
        asyncio.run(self.async_mirror())

    async def async_mirror(self):
        with Daemon() as daemon, Proxy(daemon.address) as way:
            async with continuo.AsyncClient(way.address, retry_s=PATIENCE_S, timeout_s=PATIENCE_S) as client, \
                    client.mirror(timeout_s=PATIENCE_S) as mirror:
                no_gap = NoGap(mirror)
                edits = RandomEdits(random.Random(SEED), "y")
                for count in range(60):
                    if count % 15 == 5:
                        way.drop()
                    if count == 40:
                        await asyncio.to_thread(daemon.stop)
                        await asyncio.to_thread(daemon.start)
                    try:
                        async with client.transaction(wait="committed") as tx:
                            edits.fill(tx, (await client.session()).document)
                    except continuo.ContinuoError:
                        pass
                truth = await client.session()
                await mirror.wait_until(truth.revision, PATIENCE_S)
                self.assertEqual(mirror.document, truth.document)
                self.assertEqual(no_gap.faults, [])
                with self.assertRaises(continuo.TryAgainError):
                    await mirror.wait_for(lambda document: False, 0.05)
            self.assertEqual(mirror.document, truth.document)


def added(path):
    operations = continuo.Operations()
    operations.add_node(path, "bus")
    return operations


if __name__ == "__main__":
    unittest.main()
