"""What meters show beside peak and RMS, spectra, named measurements, and why there is silence: the reading of them, and all of
it against a daemon ($CONTINUO_SERVER), sync and asyncio."""

import asyncio
import itertools
import unittest

import continuo
from continuo import v1
from continuo.measurements import why_request
from continuo.meters import MeterReader, meters_request, to_spectrum
from support import PATIENCE_S, WithDaemon, until

FRAMES = 3000  # of a stream: how long a test looks for what must come
PEAK_DB = -23.0 + 3.0103  # of an oscillator that its track's constant-power pan leaves at -23 dBFS in both channels


class Reading(unittest.TestCase):
    LAYOUT = [v1.MeterFrame.MeterInfo(node="a", channels=2), v1.MeterFrame.MeterInfo(node="b", channels=1)]

    def read(self, **fields):
        return MeterReader().read(v1.MeterFrame(layout=self.LAYOUT, peak_db=[0] * 3, rms_db=[0] * 3, **fields))

    def test_kinds_by_node_and_channel(self):
        values = v1.MeterFrame.Values
        meters = self.read(values=[
            values(kind=v1.METER_KIND_TRUE_PEAK, values=[-1, -2, -3], not_measured=[1], engine_frame=640),
            values(kind=v1.METER_KIND_MOMENTARY, values=[-23, -24], not_measured=[1], engine_frame=512)])
        a, b = meters["a"], meters["b"]
        self.assertEqual((a.kinds["true_peak"], b.kinds["true_peak"]), ((-1, None), (-3,)))
        self.assertEqual((a.kinds["momentary"], b.kinds["momentary"]), ((-23,), (None,)))
        self.assertEqual((a.value("true_peak"), a.value("true-peak", 2), b.value("true_peak")), (-1, None, -3))
        self.assertEqual((a.value("momentary"), a.value("momentary", 2), b.value("momentary")), (-23, -23, None))
        self.assertEqual(meters.kind_frames, {"true_peak": 640, "momentary": 512})
        for wrong, error in ((("true_peak", 3), IndexError), (("true_peak", 0), IndexError), (("vu",), KeyError),
                             (("party",), KeyError)):
            with self.assertRaises(error):
                a.value(*wrong)

    def test_a_daemon_that_says_more_or_less(self):
        meters = self.read(values=[v1.MeterFrame.Values(kind=99, values=[1, 2, 3]),
                                   v1.MeterFrame.Values(kind=v1.METER_KIND_VU, values=[float("nan"), -2])])
        self.assertEqual((meters["a"].kinds["99"], meters["b"].kinds["99"]), ((1, 2), (3,)))
        self.assertEqual((meters["a"].kinds["vu"], meters["b"].kinds["vu"]), ((None, -2), (None,)))
        self.assertEqual(self.read()["a"].kinds, {})

    def test_a_request(self):
        request = meters_request(["a"], 10, False, ["true_peak", "ppm-ii"], None, 0.0, -50.0)
        self.assertEqual(list(request.kinds), [v1.METER_KIND_TRUE_PEAK, v1.METER_KIND_PPM_II])
        self.assertEqual((request.HasField("decay_db_per_s"), request.HasField("hold_s"), request.silence_db), (False, True, -50))
        self.assertEqual(list(meters_request([], 10, False, "vu", None, None, None).kinds), [v1.METER_KIND_VU])
        self.assertEqual(len(continuo.kind_names()), 11)
        for name in continuo.kind_names():
            self.assertEqual(len(meters_request([], 10, False, [name], None, None, None).kinds), 1)
        for wrong in ("party", "unspecified", "", "VU "):
            with self.assertRaises(continuo.UsageError) as caught:
                meters_request([], 10, False, [wrong], None, None, None)
            self.assertEqual((caught.exception.reason, caught.exception.field), ("UNKNOWN_KIND", "kinds"))

    def test_a_spectrum(self):
        spectrum = to_spectrum(v1.SpectrumFrame(level_db=[-90, -20, -60, -150], bin_hz=100, engine_frame=7, lost_frames=1))
        self.assertEqual((spectrum.loudest_hz, spectrum.level_at(149), spectrum.level_at(151)), (100, -20, -60))
        self.assertEqual((spectrum.level_at(300), spectrum.engine_frame, spectrum.lost_frames), (-150, 7, 1))
        for wrong in (400, float("inf")):
            with self.assertRaises(continuo.UsageError):
                spectrum.level_at(wrong)
        for wrong in (-100, -0.1, float("nan"), float("-inf")):
            with self.assertRaisesRegex(ValueError, "no frequency"):
                spectrum.level_at(wrong)

    def test_outputs_count_from_one(self):
        self.assertEqual(why_request("out", None).channel, 0)
        self.assertEqual(why_request("out", 1).channel, 1)
        for wrong in (0, -1, 1 << 40):
            with self.assertRaises(continuo.UsageError) as caught:
                why_request("out", wrong)
            self.assertEqual((caught.exception.reason, caught.exception.field), ("CHANNEL", "channel"))


class Metering(WithDaemon):
    def setUp(self):
        super().setUp()
        with self.client.transaction(max_wait_s=PATIENCE_S) as tx:
            tx.add_track("tone")
            tx.add_node("tone/osc", "oscillator", {"frequency_hz": 1000, "gain_db": PEAK_DB})
            tx.add_track("still")
        self.assertTrue(tx.answer.applied)

    def looked_for(self, stream, condition):
        """The first of a stream that is as it must become."""
        for each in itertools.islice(stream, FRAMES):
            if condition(each):
                return each
        self.fail("it did not come")

    def near(self, value, wanted, within):
        return value is not None and abs(value - wanted) <= within

    def test_every_kind_of_a_known_tone(self):
        kinds = continuo.kind_names()
        wanted = {"peak_hold": -23, "vu": -23, "ppm_i": -23, "ppm_ii": -23, "true_peak": -23, "momentary": -23,
                  "short_term": -23, "correlation": 1, "balance": 0, "clips": 0, "silence": 0}
        self.assertEqual(set(wanted), set(kinds))

        def arrived(meters):
            return all(self.near(meters["tone"].value(kind, channel), wanted[kind], 0.15) for kind in kinds for channel in (1, 2))
        meters = self.looked_for(self.client.meters("tone", "still", rate_hz=20, kinds=kinds), arrived)
        self.assertEqual(len(meters["tone"].kinds["momentary"]), 1)
        self.assertEqual(len(meters["tone"].kinds["true_peak"]), 2)
        self.assertEqual(meters["still"].value("true_peak"), -150)
        self.assertEqual(set(meters.kind_frames), set(kinds))

    def test_options_of_kinds(self):
        stream = self.client.meters("tone", "still", rate_hz=50, kinds=["silence", "peak_hold"], silence_db=-20, hold_s=0,
                                    decay_db_per_s=1000)
        for node in ("tone", "still"):
            self.looked_for(stream, lambda meters, node=node: (meters[node].value("silence") or 0) > 0.2)
        self.client.set("tone.mute", True)
        self.looked_for(stream, lambda meters: (meters["tone"].value("peak_hold") or 0) < -100)
        stream.close()
        for wrong in ({"decay_db_per_s": 0.5}, {"hold_s": 61}, {"silence_db": -141}):
            with self.assertRaises(continuo.BadDataError) as caught:
                next(self.client.meters("tone", kinds=["peak_hold", "silence"], **wrong))
            self.assertEqual(caught.exception.field, next(iter(wrong)))
        with self.assertRaises(continuo.BadDataError) as caught:
            next(self.client.meters("tone", kinds=["vu", "vu"]))
        self.assertEqual(caught.exception.reason, "DUPLICATE_KIND")
        with self.assertRaises(continuo.UsageError):
            self.client.meters("tone", kinds=["party"])

    def test_a_spectrum(self):
        stream = self.client.watch_spectrum("tone", 1, fft_size=8192, window="flat-top", rate_hz=20)
        spectrum = self.looked_for(stream, lambda each: self.near(each.level_at(1000), -23, 0.1))
        self.assertEqual(len(spectrum.level_db), 4097)
        self.assertAlmostEqual(spectrum.loudest_hz, 1000, delta=2 * spectrum.bin_hz)
        self.assertLess(spectrum.level_at(5000), -80)
        later = next(stream)
        self.assertGreaterEqual(later.engine_frame, spectrum.engine_frame)
        stream.close()
        self.looked_for(self.client.watch_spectrum(average_s=0.1), lambda each: self.near(each.level_at(1000), -23, 1.5))
        for wrong in ({"fft_size": 1000}, {"window": "round"}, {"average_s": -1}, {"rate_hz": 7}, {"channel": 3}):
            with self.assertRaises(continuo.BadDataError) as caught:
                next(self.client.watch_spectrum("tone", **wrong))
            self.assertEqual(caught.exception.field, next(iter(wrong)))
        with self.assertRaises(continuo.NotFoundError):
            next(self.client.watch_spectrum("nobody"))

    def slept(self, frame):
        """So long that some 200 frames passed since this one."""
        until(lambda: self.client.clock().engine_frame > frame + 2 * 48000, "the clock goes on")

    def woken(self, old, last, meters):
        """Of a stream that slept: no frame is lost, and whether this is the one in which the sleep is folded."""
        self.assertEqual(meters.engine_frame - last, meters.covers_frames)
        self.assertLess(len(old), 30)
        return meters.covers_frames > 24000

    def test_whoever_sleeps_gets_few_old_frames(self):
        stream = self.client.meters("tone", rate_hz=100)
        last, old = next(stream).engine_frame, []
        self.slept(last)
        for meters in stream:
            if self.woken(old, last, meters):
                break
            last = meters.engine_frame
            old.append(last)
        stream.close()
        # Of spectra, too: no queue of those that were of then.
        stream = self.client.watch_spectrum("tone", fft_size=256, rate_hz=60)
        first = next(stream).engine_frame
        self.slept(first)
        self.assertLess(sum(1 for _ in itertools.takewhile(lambda each: each.engine_frame < first + 48000, stream)), 30)

    def test_whoever_sleeps_in_asyncio(self):
        async def run():
            async with continuo.AsyncClient(name="test", timeout_s=PATIENCE_S) as client:
                last, old = None, []
                async for meters in client.meters("tone", rate_hz=100):
                    if last is None:
                        await asyncio.to_thread(self.slept, meters.engine_frame)
                    elif self.woken(old, last, meters):
                        break
                    last = meters.engine_frame
                    old.append(last)
        asyncio.run(asyncio.wait_for(run(), PATIENCE_S))

    def test_a_closed_client_follows_nothing(self):
        other = continuo.Client(name="test", timeout_s=PATIENCE_S)
        other.close()
        with self.assertRaises(continuo.UsageError) as caught:
            next(other.meters("tone"))
        self.assertEqual(caught.exception.reason, "CLOSED")

    def test_a_measurement(self):
        begun = self.client.start_measurement("show", "tone")
        self.assertEqual((begun.name, begun.node, begun.client), ("show", "tone", "test"))
        self.client.start_measurement("all")
        with self.assertRaises(continuo.ExistsError) as caught:
            self.client.start_measurement("show")
        self.assertEqual(caught.exception.reason, "DUPLICATE_MEASUREMENT")
        self.looked_for(self.client.meters("tone", rate_hz=10), lambda _: self.client.measurements()[1].range_lu is not None)
        every = self.client.measurements()
        self.assertEqual([each.name for each in every], ["all", "show"])
        self.assertEqual(every[0].node, "out")
        show = self.client.reset_measurement("show")
        self.assertGreater(show.seconds, 3)
        for value in (show.integrated_lufs, show.max_momentary_lufs, show.max_short_term_lufs, show.max_true_peak_db,
                      show.max_sample_peak_db):
            self.assertAlmostEqual(value, -23, delta=0.1)
        self.assertAlmostEqual(show.range_lu, 0, delta=0.1)
        self.assertEqual((show.clipped_samples, show.lost_frames), (0, 0))
        self.assertLess(self.client.stop_measurement("show").seconds, show.seconds)
        self.client.stop_measurement("all")
        self.assertEqual(self.client.measurements(), [])
        for gone in (self.client.reset_measurement, self.client.stop_measurement):
            with self.assertRaises(continuo.NotFoundError) as caught:
                gone("show")
            self.assertEqual(caught.exception.reason, "UNKNOWN_MEASUREMENT")
        with self.assertRaises(continuo.NotFoundError):
            self.client.start_measurement("x", "nobody")
        with self.assertRaises(continuo.BadDataError):
            self.client.start_measurement("no name")

    def test_why(self):
        self.client.set("tone.mute", True, max_wait_s=PATIENCE_S)
        self.looked_for(self.client.meters("tone", rate_hz=20), lambda _: self.client.why("tone").reason == "MUTED")
        found = self.client.why("tone")
        self.assertEqual((found.node, found.sounds, found.steps[0].node, found.steps[0].type), ("tone", False, "tone", "track"))
        self.assertIn("mute", found.message)
        self.client.set("tone.mute", False, max_wait_s=PATIENCE_S)
        self.looked_for(self.client.meters("tone", rate_hz=20), lambda _: self.client.why("tone").sounds)
        self.assertAlmostEqual(self.client.why("tone").steps[0].level_db, -23, delta=0.1)
        self.assertEqual(self.client.why(channel=1).reason, "CLOCK_DEVICE")
        self.assertEqual(self.client.why(channel=99).reason, "NO_CHANNEL")
        with self.assertRaises(continuo.NotFoundError) as caught:
            self.client.why("nobody")
        self.assertEqual(caught.exception.reason, "UNKNOWN_NODE")

    def test_the_same_for_asyncio(self):
        async def run():
            async with continuo.AsyncClient(name="test", timeout_s=PATIENCE_S) as client:
                async for meters in client.meters("tone", rate_hz=20, kinds=["true_peak"]):
                    if self.near(meters["tone"].value("true_peak", 2), -23, 0.1):
                        break
                async for spectrum in client.watch_spectrum("tone", fft_size=1024):
                    if self.near(spectrum.level_at(1000), -23, 1.5):
                        break
                await client.start_measurement("async", "tone")
                self.assertEqual([each.name for each in await client.measurements()], ["async"])
                self.assertEqual((await client.reset_measurement("async")).node, "tone")
                self.assertEqual((await client.stop_measurement("async")).client, "test")
                self.assertTrue((await client.why("tone")).sounds)
                with self.assertRaises(continuo.UsageError):
                    client.meters(kinds=["party"])
        asyncio.run(asyncio.wait_for(run(), PATIENCE_S))


if __name__ == "__main__":
    unittest.main()
