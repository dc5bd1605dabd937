"""Parameters by handle against a daemon ($CONTINUO_SERVER): the newest value is heard, also when the stream is left at once."""

import asyncio
import unittest

import continuo
from support import PATIENCE_S, WithDaemon, until


class Streams(WithDaemon):
    def setUp(self):
        super().setUp()
        self.tracks("vox", "band")

    def gain(self, path):
        return {p.spec.name: p.value.number_value for p in self.client.params(path).params}["gain_db"]

    def test_the_newest_value_is_in_the_sound_and_the_document(self):
        with self.client.param_stream(["vox.gain_db", "band.gain_db", "band.mute"], ramp_ms=0) as stream:
            for step in range(500):
                stream.set("vox.gain_db", -0.01 * step)
                stream.set("band.gain_db", -1.0)
                stream.set("band.mute", True)
                stream.flush()
            frame = stream.wait_applied(PATIENCE_S)
            self.assertLessEqual(frame, self.client.clock().engine_frame + 1024)
            self.assertEqual(stream.report.received, 1500)
            self.assertEqual(stream.report.refused, 0)
            self.assertAlmostEqual(self.gain("vox"), -4.99)
            stream.set("vox.gain_db", -20.0)  # sent at the end of the block
        self.assertAlmostEqual(self.gain("vox"), -20.0)

    def test_values_with_a_frame_and_gestures(self):
        with self.client.param_stream(["vox.gain_db"]) as stream:
            stream.set("vox.gain_db", -3)
            stream.gesture()
            frame = self.client.clock().engine_frame + 12000
            stream.set("vox.gain_db", -9, frame=frame)
        self.assertGreaterEqual(self.client.clock().engine_frame + 1024, frame)
        self.assertAlmostEqual(self.gain("vox"), -9)

    def test_what_is_wrong(self):
        with self.assertRaises(continuo.NotFoundError) as caught:
            self.client.param_stream(["vox.gain_db", "nowhere.gain_db"]).__enter__()
        self.assertEqual(caught.exception.reason, "UNKNOWN_NODE")
        with self.assertRaises(continuo.BadDataError) as caught:
            self.client.param_stream(["vox.channels"]).__enter__()
        self.assertEqual(caught.exception.reason, "STRUCTURAL")
        with self.client.param_stream(["vox.gain_db"]) as stream:
            with self.assertRaises(continuo.UsageError):
                stream.set("band.gain_db", -3)
            stream.set("vox.gain_db", float("nan"))
            stream.flush()
            until(lambda: stream.report.refused == 1, "the refusal is told")
            self.assertEqual(stream.report.refused_reason, "NOT_FINITE")
            stream.set("vox.gain_db", 1000.0)
            stream.flush()
            until(lambda: stream.report.refused_reason == "OUT_OF_RANGE", "the refusal is told")

    def test_another_session_ends_it(self):
        stream = self.client.param_stream(["vox.gain_db"]).__enter__()
        self.client.load({"format": 1})
        until(lambda: stream._ended, "the stream is over")
        stream.set("vox.gain_db", -3)
        with self.assertRaises(continuo.TryAgainError) as caught:
            stream.flush()
        self.assertEqual(caught.exception.reason, "EPOCH_CHANGED")
        with self.assertRaises(continuo.TryAgainError):
            stream.__exit__(None, None, None)

    def test_asyncio(self):
        async def run():
            async with continuo.AsyncClient(name="test", timeout_s=PATIENCE_S) as client:
                async with client.param_stream(["vox.gain_db", "band.gain_db"], ramp_ms=0) as stream:
                    for step in range(200):
                        stream.set("vox.gain_db", -0.01 * step)
                        await stream.flush()
                    await stream.gesture()
                    await stream.wait_applied(PATIENCE_S)
                    self.assertEqual(stream.report.received, 200)
                    stream.set("band.gain_db", -7)
                with self.assertRaises(continuo.NotFoundError):
                    async with client.param_stream(["nowhere.gain_db"]):
                        pass
        asyncio.run(run())
        self.assertAlmostEqual(self.gain("vox"), -1.99)
        self.assertAlmostEqual(self.gain("band"), -7)


if __name__ == "__main__":
    unittest.main()
