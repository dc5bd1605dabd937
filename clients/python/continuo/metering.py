"""The calls of metering: what `Client` and `AsyncClient` inherit."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from typing import Any, TypeVar

import grpc

from . import v1
from ._connection import AsyncConnection, Connection
from .errors import from_rpc
from .measurements import Measurement, Why, to_measurement, to_why, why_request
from .meters import MeterReader, Meters, Spectrum, meters_request, spectrum_request, to_spectrum

T = TypeVar("T")


class Metering(Connection):
    """Levels, spectra, loudness under a name, and why there is silence. Nobody pays for what nobody reads."""

    def meters(self, *nodes: str, rate_hz: int = 10, inputs: bool = False, kinds: Iterable[str] = (),
               decay_db_per_s: float | None = None, hold_s: float | None = None,
               silence_db: float | None = None) -> Generator[Meters, None, None]:
        """Levels of these nodes ("in" and "out" are the device), else of every track and bus and of "out", rate_hz times a
        second: 1, 2, 5, 10, 20, 30, 50, 60 or 100. `inputs`: also "in". Ends where it is closed; raises
        NoServerError where the daemon goes. Whoever reads slowly gets fewer frames,
        each covering more: few are old, and no peak is lost.
        kinds: what else than peak and RMS, see `continuo.kind_names`: `meters["mix"].value("true_peak", 2)`.
        Of "peak_hold": it falls by decay_db_per_s (1 to 1000; None: 20) once it was held for hold_s (0 to 60; None: 1).
        Of "silence": what is below silence_db (-140 to 0 dBFS; None: -60) is silent."""
        request = meters_request(nodes, rate_hz, inputs, kinds, decay_db_per_s, hold_s, silence_db)
        return self._stream("WatchMeters", request, MeterReader().read)

    def watch_spectrum(self, node: str = "out", channel: int | None = None, *, fft_size: int = 4096, window: str = "hann",
                       average_s: float = 0.0, rate_hz: int = 10) -> Generator[Spectrum, None, None]:
        """The spectrum of a node's sound, rate_hz times a second: 1, 2, 5, 10, 20, 30, 50 or 60; whoever reads slowly gets the
        newest. `channel`: from 1; None: the sum of all, divided by their number. fft_size: 256, 512 ... 65536. window:
        "hann", "blackman-harris", "flat-top", "rectangular". average_s: of an exponential average, 0 to 60; 0: each is one
        window's. Ends as `meters` does."""
        request = spectrum_request(node, channel, fft_size, window, average_s, rate_hz)
        return self._stream("WatchSpectrum", request, to_spectrum)

    def start_measurement(self, name: str, node: str = "out") -> Measurement:
        """Begins to measure loudness, from the next frame on, under a name that everybody can read. It ends with
        `stop_measurement`, its node, the session, or the daemon. ExistsError (DUPLICATE_MEASUREMENT) for a name that is there;
        TryAgainError (TOO_MANY_MEASUREMENTS) above 64."""
        request = v1.StartMeasurementRequest(name=name, node=node, client=self.name)
        return to_measurement(self._call(v1.Measurement, self._meters.StartMeasurement, request, retry=False))

    def reset_measurement(self, name: str) -> Measurement:
        """What it was; it begins anew. NotFoundError (UNKNOWN_MEASUREMENT)."""
        request = v1.ResetMeasurementRequest(name=name)
        return to_measurement(self._call(v1.Measurement, self._meters.ResetMeasurement, request, retry=False))

    def stop_measurement(self, name: str) -> Measurement:
        """What it was; it ends. NotFoundError (UNKNOWN_MEASUREMENT)."""
        request = v1.StopMeasurementRequest(name=name)
        return to_measurement(self._call(v1.Measurement, self._meters.StopMeasurement, request, retry=False))

    def measurements(self) -> list[Measurement]:
        """Those that run, as they stand, by name."""
        answer = self._call(v1.ListMeasurementsResponse, self._meters.ListMeasurements, v1.ListMeasurementsRequest())
        return [to_measurement(each) for each in answer.measurements]

    def why(self, node: str = "out", *, channel: int | None = None) -> Why:
        """Why there is silence (below -60 dBFS): looks upstream and names the first cause. `channel`: of "out", one output
        alone, from 1: else UsageError. NotFoundError (UNKNOWN_NODE)."""
        return to_why(self._call(v1.WhyResponse, self._system.Why, why_request(node, channel)))

    def _stream(self, method: str, request: Any, read: Callable[[Any], T]) -> Generator[T, None, None]:
        call = getattr(self._newest(), method)(request, metadata=self._metadata)
        try:
            for frame in call:
                yield read(frame)
        except grpc.RpcError as error:
            raise from_rpc(error, self.address) from error
        finally:
            call.cancel()


class AsyncMetering(AsyncConnection):
    """See `Metering`: the same, awaited."""

    def meters(self, *nodes: str, rate_hz: int = 10, inputs: bool = False, kinds: Iterable[str] = (),
               decay_db_per_s: float | None = None, hold_s: float | None = None,
               silence_db: float | None = None) -> AsyncGenerator[Meters, None]:
        """`async for meters in client.meters("mix")`; see Client.meters."""
        request = meters_request(nodes, rate_hz, inputs, kinds, decay_db_per_s, hold_s, silence_db)
        return self._stream("WatchMeters", request, MeterReader().read)

    def watch_spectrum(self, node: str = "out", channel: int | None = None, *, fft_size: int = 4096, window: str = "hann",
                       average_s: float = 0.0, rate_hz: int = 10) -> AsyncGenerator[Spectrum, None]:
        """`async for spectrum in client.watch_spectrum("mix")`; see Client.watch_spectrum."""
        request = spectrum_request(node, channel, fft_size, window, average_s, rate_hz)
        return self._stream("WatchSpectrum", request, to_spectrum)

    async def start_measurement(self, name: str, node: str = "out") -> Measurement:
        """See Client.start_measurement."""
        request = v1.StartMeasurementRequest(name=name, node=node, client=self.name)
        return to_measurement(await self._call(v1.Measurement, self._meters.StartMeasurement, request, retry=False))

    async def reset_measurement(self, name: str) -> Measurement:
        """See Client.reset_measurement."""
        request = v1.ResetMeasurementRequest(name=name)
        return to_measurement(await self._call(v1.Measurement, self._meters.ResetMeasurement, request, retry=False))

    async def stop_measurement(self, name: str) -> Measurement:
        """See Client.stop_measurement."""
        request = v1.StopMeasurementRequest(name=name)
        return to_measurement(await self._call(v1.Measurement, self._meters.StopMeasurement, request, retry=False))

    async def measurements(self) -> list[Measurement]:
        """See Client.measurements."""
        answer = await self._call(v1.ListMeasurementsResponse, self._meters.ListMeasurements, v1.ListMeasurementsRequest())
        return [to_measurement(each) for each in answer.measurements]

    async def why(self, node: str = "out", *, channel: int | None = None) -> Why:
        """See Client.why."""
        return to_why(await self._call(v1.WhyResponse, self._system.Why, why_request(node, channel)))

    async def _stream(self, method: str, request: Any, read: Callable[[Any], T]) -> AsyncGenerator[T, None]:
        call = getattr(self._newest(), method)(request, metadata=self._metadata)
        try:
            async for frame in call:
                yield read(frame)
        except grpc.RpcError as error:
            raise from_rpc(error, self.address) from error
        finally:
            call.cancel()
