"""Levels, what else meters show, and spectra, as plain values; see `Client.meters` and `Client.watch_spectrum`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import v1
from .errors import UsageError

# What has one value a meter, however many channels it has.
_OF_METER = frozenset({v1.METER_KIND_MOMENTARY, v1.METER_KIND_SHORT_TERM, v1.METER_KIND_CORRELATION, v1.METER_KIND_BALANCE})


def kind_names() -> tuple[str, ...]:
    """What meters can show beside peak and RMS: "peak_hold", "vu", "ppm_i", "ppm_ii" (dBFS: a steady sine reads its peak),
    "clips" (samples), "silence" (seconds), "true_peak" (dBTP), of a whole meter "momentary", "short_term" (LUFS),
    "correlation", "balance" (-1 to 1)."""
    return tuple(_kind_name(number) for number in v1.MeterKind.values() if number)


@dataclass(frozen=True)
class Levels:
    """One meter. dBFS a channel, in order, from channel 1; -150 is silence; None: not measured. `peak_db`: the maximum
    since the frame before; `rms_db`: the average power (a full-scale sine reads -3.01). `kinds`: what else was asked for,
    by name, in the kind's unit: a value a channel, or a single one for what a whole meter has."""

    node: str
    label: str
    peak_db: tuple[float | None, ...]
    rms_db: tuple[float | None, ...]
    kinds: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict, hash=False)

    def value(self, kind: str, channel: int = 1) -> float | None:
        """`levels.value("true_peak", 2)`, `levels.value("momentary")`; None: not measured (yet). Channels count from 1 and say
        nothing for what a whole meter has. KeyError for a kind that was not asked for, IndexError for a channel that is none."""
        name = _spelt(kind)
        values = self.kinds[name]
        if v1.MeterKind.Value("METER_KIND_" + name.upper()) in _OF_METER:
            channel = 1
        if not 1 <= channel <= len(values):
            raise IndexError(f"'{self.node}' has channels 1 to {len(values)}, and no channel {channel}")
        return values[channel - 1]


@dataclass(frozen=True)
class Meters:
    """All meters of one moment: the engine frame just after what was measured, how many frames it covers, the clock.
    `kind_frames`: by kind, the engine frame just after what it has looked at (the analysis is a little behind)."""

    levels: tuple[Levels, ...]
    engine_frame: int
    covers_frames: int
    clock: v1.Clock
    kind_frames: Mapping[str, int] = field(default_factory=dict, hash=False)

    def __getitem__(self, node: str) -> Levels:
        """By path. KeyError where it is not among them."""
        for each in self.levels:
            if each.node == node:
                return each
        raise KeyError(node)


@dataclass
class MeterReader:
    """Frames in, Meters out: the layout comes only where it changed."""

    layout: list[v1.MeterFrame.MeterInfo] = field(default_factory=list)

    def read(self, frame: v1.MeterFrame) -> Meters:
        if frame.layout:
            self.layout = list(frame.layout)
        kinds = {_kind_name(each.kind): self._by_meter(each) for each in frame.values}
        missing = set(frame.not_measured)
        found, at = [], 0
        for number, info in enumerate(self.layout):
            here = range(at, at + info.channels)
            at += info.channels
            found.append(Levels(info.node, info.label, _levels(frame.peak_db, here, missing),
                                _levels(frame.rms_db, here, missing), {name: all_[number] for name, all_ in kinds.items()}))
        return Meters(tuple(found), frame.engine_frame, frame.covers_frames, frame.clock,
                      {_kind_name(each.kind): int(each.engine_frame) for each in frame.values})

    def _by_meter(self, kind: v1.MeterFrame.Values) -> list[tuple[float | None, ...]]:
        missing = set(kind.not_measured)
        found, at = [], 0
        for info in self.layout:
            count = 1 if kind.kind in _OF_METER else info.channels
            found.append(_levels(kind.values, range(at, at + count), missing))
            at += count
        return found


@dataclass(frozen=True)
class Spectrum:
    """The spectrum of one moment. `level_db`: dBFS by bin, from 0 Hz to half the rate; a sine in the middle of a bin reads
    its peak level. `bin_hz`: from bin to bin. `engine_frame`: just behind the last frame in it. `lost_frames`: those that
    the analysis lost since the stream began, because it was late."""

    level_db: tuple[float, ...]
    bin_hz: float
    engine_frame: int
    lost_frames: int

    def level_at(self, frequency_hz: float) -> float:
        """dBFS of the bin that is nearest. ValueError for what is negative or no number; UsageError above half the rate."""
        if not frequency_hz >= 0:
            raise ValueError(f"{frequency_hz:g} Hz is no frequency: 0 is the lowest")
        number = round(frequency_hz / self.bin_hz) if math.isfinite(frequency_hz) else len(self.level_db)
        if number >= len(self.level_db):
            raise UsageError(f"{frequency_hz:g} Hz is not within 0 to {self.bin_hz * (len(self.level_db) - 1):g} Hz",
                             "OUT_OF_RANGE", "frequency_hz")
        return self.level_db[number]

    @property
    def loudest_hz(self) -> float:
        """The middle of the bin with the highest level."""
        return self.level_db.index(max(self.level_db)) * self.bin_hz


def to_spectrum(frame: v1.SpectrumFrame) -> Spectrum:
    return Spectrum(tuple(frame.level_db), frame.bin_hz, frame.engine_frame, frame.lost_frames)


def meters_request(nodes: Iterable[str], rate_hz: int, inputs: bool, kinds: Iterable[str], decay_db_per_s: float | None,
                   hold_s: float | None, silence_db: float | None) -> v1.WatchMetersRequest:
    """UsageError (UNKNOWN_KIND) for a kind that is none; all else is the daemon's to judge."""
    numbers = []
    for kind in (kinds,) if isinstance(kinds, str) else kinds:
        if _spelt(kind) not in kind_names():
            raise UsageError(f"there is no meter '{kind}'; there are {', '.join(kind_names())}", "UNKNOWN_KIND", "kinds")
        numbers.append(v1.MeterKind.Value("METER_KIND_" + _spelt(kind).upper()))
    return v1.WatchMetersRequest(nodes=nodes, rate_hz=rate_hz, inputs=inputs, kinds=numbers, decay_db_per_s=decay_db_per_s,
                                 hold_s=hold_s, silence_db=silence_db)


def spectrum_request(node: str, channel: int | None, fft_size: int, window: str, average_s: float,
                     rate_hz: int) -> v1.WatchSpectrumRequest:
    return v1.WatchSpectrumRequest(node=node, channel=channel, fft_size=fft_size, window=window, average_s=average_s,
                                   rate_hz=rate_hz)


def _kind_name(number: int) -> str:
    try:
        return str(v1.MeterKind.Name(number)).removeprefix("METER_KIND_").lower()
    except ValueError:  # of a newer daemon
        return str(number)


def _spelt(kind: str) -> str:
    """As the command line spells it, too: "true-peak"."""
    return kind.replace("-", "_")


def _levels(values: Any, here: range, missing: set[int]) -> tuple[float | None, ...]:
    return tuple(None if i in missing or i >= len(values) or not math.isfinite(values[i]) else float(values[i])
                 for i in here)
