"""Jobs against a daemon ($CONTINUO_SERVER), sync and asyncio."""

import asyncio
import pathlib
import unittest

import continuo
from support import PATIENCE_S, WithDaemon, make_wav, until

HOURS = 48000 * 3600 * 100  # of a render that does not end by itself


class Jobs(WithDaemon):
    def setUp(self):
        super().setUp()
        roots = {root.name: root.path for root in self.client.info().media_roots}
        self.media = pathlib.Path(roots["media"])
        make_wav(str(self.media / "jobs.wav"), 24000)
        with self.client.transaction() as tx:
            tx.add_track("vox")
            tx.add_node("vox/p", "player", {"file": "media:jobs.wav"})

    def left(self):
        return [file.name for file in self.media.iterdir() if file.name.startswith(".")]

    def test_a_render_is_waited_for(self):
        seen = []
        job = self.client.start_render("media:mix.wav", overwrite=True).wait(PATIENCE_S, progress=lambda j: seen.append(j.state))
        self.assertEqual((job.kind, job.state, job.progress, job.ended), ("render", "done", 1.0, True))
        self.assertEqual(job.result.frames, 24000)
        self.assertEqual(seen[-1], "done")
        self.assertTrue((self.media / "mix.wav").is_file())
        self.assertIn(job.id, [one.id for one in self.client.jobs()])
        self.assertEqual(self.client.job(job.id).message, job.message)
        with self.assertRaises(continuo.ExistsError) as caught:
            self.client.start_render("media:mix.wav")
        self.assertEqual(caught.exception.reason, "FILE_EXISTS")

    def test_a_render_tells_its_loudness(self):
        result = self.client.start_render("media:loud.wav", overwrite=True, loudness_of=["vox/p", "vox"]).wait(PATIENCE_S).result
        self.assertEqual([stem.node for stem in result.stems], ["vox", "vox/p"])
        self.assertAlmostEqual(result.loudness.integrated_lufs, result.stems[0].loudness.integrated_lufs)
        self.assertFalse(result.loudness.HasField("range_lu"))  # half a second
        with self.assertRaises(continuo.NotFoundError) as caught:
            self.client.start_render("media:none.wav", loudness_of=["vox", "ghost"])
        self.assertEqual(caught.exception.field, "loudness_of[1]")

    def test_a_request_id_starts_one_render(self):
        ids = {self.client.start_render("media:once.wav", overwrite=True, request_id="once").id for _ in range(2)}
        self.assertEqual(len(ids), 1)
        self.client.job(ids.pop()).wait(PATIENCE_S)

    def test_a_cancel_leaves_nothing(self):
        job = self.client.start_render("media:long.wav", end_frame=HOURS)
        with self.client.watch_jobs() as watch:
            next(one for one in watch if one.id == job.id and (one.progress or 0) > 0)
        self.assertEqual(len(self.left()), 1)
        with self.assertRaises(continuo.TryAgainError) as caught:
            job.wait(0.01)
        self.assertEqual(caught.exception.reason, "DEADLINE_EXCEEDED")
        job.cancel()
        with self.assertRaises(continuo.TryAgainError) as caught:
            job.wait(PATIENCE_S)
        self.assertEqual((caught.exception.reason, job.state), ("CANCELLED", "cancelled"))
        self.assertEqual(self.left(), [])
        self.assertFalse((self.media / "long.wav").exists())
        with self.assertRaises(continuo.BadDataError) as caught:
            job.cancel()
        self.assertEqual(caught.exception.reason, "JOB_ENDED")
        with self.assertRaises(continuo.NotFoundError):
            self.client.job(2**50)

    def test_a_failure_has_its_reason(self):
        self.client.load({"format": 1})
        with self.assertRaises(continuo.BadDataError) as caught:
            self.client.start_render("media:empty.wav").wait(PATIENCE_S)
        self.assertEqual(caught.exception.reason, "NO_END")

    def test_a_scan_names_the_broken(self):
        (self.media / "scan").mkdir(exist_ok=True)
        make_wav(str(self.media / "scan" / "good.wav"), 4800)
        (self.media / "scan" / "bad.wav").write_bytes(b"nothing")
        result = self.client.start_scan("media:scan").wait(PATIENCE_S).result
        self.assertEqual((result.files, result.broken_count, result.broken[0].file), (1, 1, "media:scan/bad.wav"))

    def test_an_upload_and_a_load_are_jobs(self):
        source = make_wav(str(self.folder / "up.wav"), 4800)
        self.client.media.put(source, "media:up.wav", overwrite=True)
        until(lambda: any(job.kind == "upload" and job.state == "done" for job in self.client.jobs()), "the upload's job")
        jobs = self.client.jobs()
        upload = next(job for job in jobs if job.kind == "upload")
        self.assertEqual((upload.subject, upload.result), ("media:up.wav", pathlib.Path(source).stat().st_size))
        load = next(job for job in jobs if job.kind == "load")
        self.assertEqual(load.state, "done")
        self.assertGreater(load.result.epoch, 0)

    def test_the_same_for_asyncio(self):
        async def run():
            async with continuo.AsyncClient(name="test", timeout_s=PATIENCE_S) as client:
                job = await (await client.start_render("media:async.flac", overwrite=True)).wait(PATIENCE_S)
                self.assertEqual((job.state, job.result.frames), ("done", 24000))
                self.assertIn(job.id, [one.id for one in await client.jobs()])
                self.assertEqual((await job.refresh()).state, "done")
                long = await client.start_render("media:long.wav", end_frame=HOURS)
                with self.assertRaises(continuo.TryAgainError):
                    await long.wait(0.01)
                await long.cancel()
                with self.assertRaises(continuo.TryAgainError) as caught:
                    await long.wait(PATIENCE_S)
                self.assertEqual(caught.exception.reason, "CANCELLED")
                scan = await (await client.start_scan("media:")).wait(PATIENCE_S)
                self.assertGreaterEqual(scan.result.files, 1)
        asyncio.run(run())
        self.assertEqual(self.left(), [])


if __name__ == "__main__":
    unittest.main()
