"""A watch over streams that break, fall silent, or are refused; without a daemon."""

import asyncio
import queue
import threading
import unittest
from unittest import mock

import continuo
import grpc
from continuo import v1

TEXT = b'{\n  "format": 1\n}\n'


class Broken(grpc.RpcError):
    def __init__(self, status):
        super().__init__(status)
        self.status = status

    def code(self):
        return self.status

    def details(self):
        return "broken"

    def trailing_metadata(self):
        return ()


class Stream:
    """Gives what is in the list, then what its last entry says: an error, or silence until it is cancelled."""

    def __init__(self, *messages):
        self.messages = queue.SimpleQueue()
        for message in messages:
            self.messages.put(message)
        self.cancelled = threading.Event()

    def __iter__(self):
        return self

    def __next__(self):
        message = self.messages.get()
        if isinstance(message, Exception):
            raise message
        return message

    async def read(self):
        if self.messages.empty():
            await asyncio.get_running_loop().create_future()
        return self.__next__()

    def cancel(self):
        self.cancelled.set()
        self.messages.put(Broken(grpc.StatusCode.CANCELLED))


class Daemon:
    """Opens the given streams one after the other, and keeps what was asked for."""

    def __init__(self, *streams):
        self.streams = list(streams)
        self.asked = []
        self.patient = []

    def open(self, request, patient):
        self.patient.append(patient)
        self.asked.append(request.from_revision.number if request.HasField("from_revision") else None)
        return self.streams.pop(0)


def snapshot(number, resync=False):
    return (v1.WatchResponse(snapshot=TEXT), v1.WatchResponse(snapshot_end=v1.WatchResponse.SnapshotEnd(
        revision=v1.Revision(epoch=1, number=number), resync=resync)))


def change(number):
    return v1.WatchResponse(change=v1.Change(revision=v1.Revision(epoch=1, number=number)))


def gone():
    return Broken(grpc.StatusCode.UNAVAILABLE)


def names(events, count):
    return [type(next(events)).__name__ for _ in range(count)]


class Threads(unittest.TestCase):
    def watch(self, *streams, reconnect=True):
        daemon = Daemon(*streams)
        watch = continuo.Watch(daemon.open, "here", None, reconnect)
        self.addCleanup(watch.close)
        return daemon, watch

    def test_it_goes_on_from_the_last_whole_thing(self):
        first, end = snapshot(3)
        daemon, watch = self.watch(Stream(first, gone()), Stream(gone()), Stream(first, end, change(4), gone()), Stream(change(5), StopIteration()),
                                   Stream(change(6)))
        self.assertEqual(names(watch, 3), ["Disconnected", "Snapshot", "Change"])
        self.assertEqual(names(watch, 4), ["Disconnected", "Change", "Disconnected", "Change"])
        self.assertEqual(daemon.asked, [None, None, None, 4, 5])
        self.assertEqual(daemon.patient, [False, True, True, True, True])

    def test_a_refusal_ends_it(self):
        for status, kind in ((grpc.StatusCode.PERMISSION_DENIED, continuo.RefusedError), (grpc.StatusCode.UNIMPLEMENTED, continuo.NoServerError)):
            _, watch = self.watch(Stream(*snapshot(1), Broken(status)))
            self.assertIsInstance(next(watch), continuo.Snapshot)
            self.assertRaises(kind, next, watch)
            self.assertRaises(StopIteration, next, watch)
        _, watch = self.watch(Stream(gone()), reconnect=False)
        self.assertRaises(continuo.NoServerError, next, watch)

    def test_a_silent_stream_is_cut(self):
        silent = Stream(*snapshot(1))
        with mock.patch("continuo.watch.STREAM_IDLE_S", 1.0):
            daemon, watch = self.watch(silent, Stream(change(2)))
            self.assertEqual(names(watch, 3), ["Snapshot", "Disconnected", "Change"])
        self.assertTrue(silent.cancelled.is_set())
        self.assertEqual(daemon.asked, [None, 1])

    def test_a_slow_reader_is_no_silence(self):
        busy = Stream(*snapshot(1), change(2))
        with mock.patch("continuo.watch.STREAM_IDLE_S", 0.5):
            _, watch = self.watch(busy)
            self.assertIsInstance(next(watch), continuo.Snapshot)
            self.assertFalse(busy.cancelled.wait(1.5))
            self.assertIsInstance(next(watch), continuo.Change)

    def test_resync_asks_for_everything(self):
        daemon, watch = self.watch(Stream(*snapshot(1), change(2)), Stream(*snapshot(2)))
        self.assertEqual(names(watch, 2), ["Snapshot", "Change"])
        watch.resync()
        self.assertEqual(names(watch, 1), ["Snapshot"])
        self.assertEqual(daemon.asked, [None, None])

    def test_a_snapshot_that_is_none_is_asked_for_again(self):
        daemon, watch = self.watch(Stream(v1.WatchResponse(snapshot=b"{"), *snapshot(1)[1:]), Stream(*snapshot(1)))
        self.assertEqual(names(watch, 1), ["Snapshot"])
        self.assertEqual(daemon.asked, [None, None])

    def test_a_watch_that_was_forgotten_ends(self):
        with mock.patch("continuo.watch.STREAM_IDLE_S", 0.5):
            watch = continuo.Watch(Daemon(Stream(*snapshot(1))).open, "here", None, True)
            next(watch)
            dog = watch._dog
            del watch
            dog.join()


class Async(unittest.IsolatedAsyncioTestCase):
    async def names(self, watch, count):
        return [type(await watch.__anext__()).__name__ for _ in range(count)]

    async def test_it_goes_on(self):
        first, end = snapshot(3)
        daemon = Daemon(Stream(first, gone()), Stream(gone()), Stream(first, end, change(4)), Stream(change(5)), Stream(*snapshot(5)),
                        Stream(Broken(grpc.StatusCode.UNAUTHENTICATED)))
        with mock.patch("continuo.aio_watch.STREAM_IDLE_S", 0.5):
            watch = continuo.AsyncWatch(daemon.open, "here", None, True)
            self.assertEqual(await self.names(watch, 5), ["Disconnected", "Snapshot", "Change", "Disconnected", "Change"])
            watch.resync()
            self.assertEqual(await self.names(watch, 2), ["Snapshot", "Disconnected"])
            with self.assertRaises(continuo.RefusedError):
                await watch.__anext__()
        self.assertEqual(daemon.asked, [None, None, None, 4, None, 5])
        with self.assertRaises(StopAsyncIteration):
            await watch.__anext__()


if __name__ == "__main__":
    unittest.main()
