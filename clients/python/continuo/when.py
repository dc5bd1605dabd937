"""Moments: when a transaction takes effect."""

from __future__ import annotations

import datetime
import math
import re

from . import v1
from .errors import UsageError

#: What `at=` takes: a text as the command line has it ("+3s", "1:02.5", "62.5s", "48000f", "@2026-11-20T12:00:00Z"), a
#: timedelta (from now), an aware datetime, or what the functions here make.
Moment = str | datetime.timedelta | datetime.datetime | v1.When

_MOST = float(1 << 53)  # what a double counts exactly
_CLOCK = re.compile(r"(?:([0-9]+):)?([0-9]+):([0-9]+\.?[0-9]*)")


def after(seconds: float) -> v1.When:
    """So many seconds from now, 0 or more, by the engine's clock, which stands still while the device does."""
    return v1.When(after_seconds=seconds)


def timeline(frame: int) -> v1.When:
    """The next pass of the timeline over this frame, in frames of the session's rate, 0 to 2^50."""
    return v1.When(timeline_frame=frame)


def engine_frame(frame: int, generation: int | None = None) -> v1.When:
    """This frame of the engine's clock, 0 or more. `generation`: TryAgainError (ABORTED) unless it is the clock's."""
    return v1.When(engine_frame=v1.When.EngineFrame(frame=frame, generation=generation))


def utc(moment: datetime.datetime) -> v1.When:
    """A time of day, to within a device buffer. UsageError for one that does not say its zone."""
    if moment.tzinfo is None:
        raise UsageError("a time of day must say its zone: use datetime.now(timezone.utc)", "BAD_TIME", "at")
    text = moment.astimezone(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
    return v1.When(utc=text)


def needs_rate(at: Moment | None) -> bool:
    """Whether `to_when` must know the timeline's rate."""
    return isinstance(at, str) and not at.startswith(("+", "@")) and not at.endswith("f") and at != "now"


def to_when(at: Moment, timeline_rate_hz: float = 0.0) -> v1.When:
    """UsageError for what is no moment."""
    if isinstance(at, v1.When):
        return at
    if isinstance(at, datetime.timedelta):
        return after(at.total_seconds())
    if isinstance(at, datetime.datetime):
        return utc(at)
    if at == "now":
        return v1.When(now=v1.When.Now())
    if at.startswith("@"):
        return v1.When(utc=at[1:])
    if at.startswith("+"):
        seconds = _seconds(at[1:])
        if seconds is None:
            raise UsageError(f"'{at}': after so many seconds, as in +3s", "BAD_TIME", "at")
        return after(seconds)
    if re.fullmatch(r"[0-9]+f", at) and int(at[:-1]) <= _MOST:
        return timeline(int(at[:-1]))
    seconds = _seconds(at)
    if seconds is None or seconds * timeline_rate_hz >= _MOST:
        raise UsageError(f"'{at}' is not a time; write +3s, 1:02.5, 62.5s, 250ms, 48000f or @2026-11-20T12:00:00Z",
                         "BAD_TIME", "at")
    return timeline(math.floor(seconds * timeline_rate_hz + 0.5))


def _seconds(text: str) -> float | None:
    if text == "0":
        return 0.0
    if plain := re.fullmatch(r"([0-9]+\.?[0-9]*)(ms|s)", text):
        return float(plain[1]) / (1000.0 if plain[2] == "ms" else 1.0)
    clock = _CLOCK.fullmatch(text)
    # 1:75 is a slip of the finger; 90:00 is an hour and a half.
    if clock is None or float(clock[3]) >= 60.0 or (clock[1] and int(clock[2]) >= 60):
        return None
    return int(clock[1] or 0) * 3600.0 + int(clock[2]) * 60.0 + float(clock[3])
