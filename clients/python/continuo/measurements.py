"""Named measurements of loudness, and why there is silence, as plain values; see `Client.start_measurement`, `Client.why`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import v1
from .errors import UsageError


@dataclass(frozen=True)
class Measurement:
    """A measurement as it stands. `seconds` were measured of the sound of `node`. None: nothing to tell yet.

    integrated_lufs: BS.1770-4, gated. range_lu: EBU Tech 3342, from 3 s of sound on. max_momentary_lufs (400 ms),
    max_short_term_lufs (3 s). max_true_peak_db: dBTP, max_sample_peak_db: dBFS, of the loudest channel. clipped_samples: at
    or above full scale. lost_frames: those that the analysis lost; not to be trusted where it is not 0.
    client, identity, utc: who began it, and when."""

    name: str
    node: str
    seconds: float
    integrated_lufs: float | None
    range_lu: float | None
    max_momentary_lufs: float | None
    max_short_term_lufs: float | None
    max_true_peak_db: float | None
    max_sample_peak_db: float | None
    clipped_samples: int
    lost_frames: int
    client: str
    identity: str
    utc: str


def to_measurement(message: v1.Measurement) -> Measurement:
    return Measurement(
        name=message.name, node=message.node, seconds=message.seconds,
        integrated_lufs=_known(message, "integrated_lufs"), range_lu=_known(message, "range_lu"),
        max_momentary_lufs=_known(message, "max_momentary_lufs"), max_short_term_lufs=_known(message, "max_short_term_lufs"),
        max_true_peak_db=_known(message, "max_true_peak_db"), max_sample_peak_db=_known(message, "max_sample_peak_db"),
        clipped_samples=message.clipped_samples, lost_frames=message.lost_frames,
        client=message.origin.client, identity=message.origin.identity, utc=message.origin.utc)


@dataclass(frozen=True)
class WhyStep:
    """Where it looked. `level_db`: dBFS, the highest peak of its channels in the last 100 ms; None: not measured."""

    node: str
    type: str
    level_db: float | None


@dataclass(frozen=True)
class Why:
    """The first cause of silence. `reason` is stable: "SOUNDS" (there is none), "MUTED", "GAIN", "STOPPED", "MISSING_FILE" ...;
    `node`: where, as a path, "out:3", "in:2", or "" for the device as a whole; `message`: for a person, with the remedy;
    `steps`: from what was asked about upstream."""

    reason: str
    node: str
    message: str
    steps: tuple[WhyStep, ...]

    @property
    def sounds(self) -> bool:
        """There is no silence to explain."""
        return self.reason == "SOUNDS"


def why_request(node: str, channel: int | None) -> v1.WhyRequest:
    """UsageError (CHANNEL) for a channel below 1: the first is 1."""
    if channel is not None and not 1 <= channel <= 100_000:
        raise UsageError(f"{channel} is no output: 1 is the first", "CHANNEL", "channel")
    return v1.WhyRequest(node=node, channel=channel)


def to_why(message: v1.WhyResponse) -> Why:
    return Why(message.reason, message.node, message.message,
               tuple(WhyStep(step.node, step.type, _known(step, "level_db")) for step in message.steps))


def _known(message: Any, name: str) -> float | None:
    return float(getattr(message, name)) if message.HasField(name) else None
