"""The asyncio client against a daemon ($CONTINUO_SERVER): what it does apart from its twin, and that it is its twin."""

import asyncio
import inspect
import os
import pathlib
import tempfile
import unittest

import continuo
from support import PATIENCE_S, Proxy, make_wav


class Async(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.client = continuo.AsyncClient(name="async test", timeout_s=PATIENCE_S)
        self.addAsyncCleanup(self.client.close)
        await self.client.record_stop()
        await self.client.load({"format": 1})
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def proxy(self):
        way = Proxy(os.environ["CONTINUO_SERVER"])
        self.addCleanup(way.__exit__)
        return way

    async def test_transactions(self):
        async with self.client.transaction(max_wait_s=PATIENCE_S) as tx:
            tx.add_track("vox")
            tx.play()
        self.assertTrue(tx.answer.applied)
        with self.assertRaises(continuo.ExistsError) as caught:
            async with self.client.transaction(request_id="mine") as tx:
                tx.add_track("vox")
        self.assertEqual(caught.exception.request_id, "mine")
        with self.assertRaises(ZeroDivisionError):
            async with self.client.transaction() as tx:
                tx.add_track("b")
                1 / 0
        self.assertEqual(len((await self.client.session()).document["nodes"]), 1)
        answers = await asyncio.gather(*(self.client.set("vox.gain_db", -n, wait="committed") for n in range(1, 20)))
        self.assertEqual(len({answer.transaction_id for answer in answers}), 19)
        self.assertEqual((await self.client.stop(at="1:00")).outcome, "SCHEDULED")
        for each in await self.client.scheduled():
            await self.client.cancel(each.transaction_id)

    async def test_an_edit_whose_answer_is_lost_is_applied_once(self):
        way = self.proxy()
        before = (await self.client.session()).revision
        async with continuo.AsyncClient(way.address, retry_s=PATIENCE_S, timeout_s=PATIENCE_S) as client:
            await client.info()
            way.swallow = True
            operations = continuo.Operations()
            operations.add_track("once")
            task = asyncio.create_task(client.apply(operations))
            async with self.client.watch(before) as watch:
                async for event in watch:
                    if isinstance(event, continuo.Change):
                        break
            way.swallow = False
            way.drop()
            answer = await asyncio.wait_for(task, PATIENCE_S)
        self.assertEqual(answer.revision, event.revision)
        self.assertEqual((await self.client.session()).revision, event.revision)

    async def test_media(self):
        source = self.folder / "long.bin"
        source.write_bytes(os.urandom(1 << 20) * 5)
        way = self.proxy()
        way.cut_at_byte = 2 << 20
        cuts = []

        def cut(done, _):
            if done > 1 << 20 and not cuts:
                cuts.append(done)
                way.drop()
        async with continuo.AsyncClient(way.address, retry_s=PATIENCE_S, timeout_s=PATIENCE_S) as client:
            path = await client.media.put(source, "media:async/")
            back = await client.media.get(path, self.folder / "back.bin", progress=cut)
            with self.assertRaises(continuo.ExistsError):
                await client.media.put(source, path)
        self.assertEqual(back.read_bytes(), source.read_bytes())
        self.assertEqual((way.cut_at_byte, len(cuts)), (None, 1))
        await self.client.media.put(source, path, overwrite=True)
        self.assertEqual([entry.path async for entry in self.client.media.list("media:async")], [path])
        await self.client.media.delete(path)
        make_wav(os.environ["MEDIA"] + "/aprobe.wav", 480)
        self.assertEqual((await self.client.media.probe("media:aprobe.wav")).frames, 480)
        with self.assertRaises(continuo.NotFoundError):
            await self.client.media.put(self.folder / "none", "media:")

    async def test_takes_meters_and_events(self):
        async with self.client.transaction() as tx:
            tx.record_start("out", frames=4800)
        take = await self.client.wait_take(tx.answer.take_ids[0], PATIENCE_S)
        self.assertEqual(take.frames, 4800)
        async with self.client.transaction() as tx:
            tx.record_start("out")
        with self.assertRaises(continuo.TryAgainError):
            await self.client.wait_take(tx.answer.take_ids[0], 0.05)
        self.assertEqual(len((await self.client.record_stop(max_wait_s=PATIENCE_S)).closed_takes), 1)
        count = 0
        async for meters in self.client.meters("out", rate_hz=100):
            self.assertEqual(len(meters["out"].peak_db), 2)
            count += 1
            if count == 3:
                break
        self.assertGreater(len([event async for event in self.client.events()]), 0)
        file = self.folder / "s.json"
        await self.client.save(file)
        self.assertEqual((await self.client.load(file)).warnings, ())

    async def test_a_task_that_is_cancelled_takes_its_call_along(self):
        watch = self.client.watch()
        self.assertIsInstance(await watch.__anext__(), continuo.Snapshot)
        task = asyncio.create_task(watch.__anext__())
        await asyncio.sleep(0)
        task.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await task
        watch.close()
        with self.assertRaises(StopAsyncIteration):
            await watch.__anext__()

    async def test_no_daemon(self):
        async with continuo.AsyncClient("unix:/nowhere/socket", retry_s=0.2) as client:
            with self.assertRaises(continuo.NoServerError):
                await client.status()
            with self.assertRaises(continuo.TryAgainError):
                async with client.mirror(timeout_s=0.2):
                    pass
            with self.assertRaises(continuo.NoServerError):
                await client.watch(reconnect=False).__anext__()


class Twins(unittest.TestCase):
    def test_both_have_the_same_calls(self):
        for one, other in ((continuo.Client, continuo.AsyncClient), (continuo.Media, continuo.AsyncMedia),
                           (continuo.Watch, continuo.AsyncWatch), (continuo.SessionMirror, continuo.AsyncMirror)):
            names = {name for name in dir(one) if not name.startswith("_")}
            self.assertEqual(names, {name for name in dir(other) if not name.startswith("_")})
            for name in names:
                if callable(getattr(one, name)):
                    parameters = [[(p.name, p.kind, p.default) for p in inspect.signature(getattr(kind, name)).parameters.values()]
                                  for kind in (one, other)]
                    self.assertEqual(*parameters, name)
                    self.assertTrue(getattr(one, name).__doc__, name)


if __name__ == "__main__":
    unittest.main()
