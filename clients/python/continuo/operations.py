"""The operations of a transaction, as methods. Nothing here speaks to a daemon."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from google.protobuf import json_format, struct_pb2

from . import v1
from .errors import UsageError
from .show import ShowOperations

#: What a parameter may be: a number (its unit is in its name), a switch, a text (a choice, a file).
Value = float | int | bool | str

#: A point of an automation lane: timeline frame, value, and "linear", "exponential" or "hold" to the next point.
Point = tuple[int, float] | tuple[int, float, str]


def split_param(name: str) -> tuple[str, str]:
    """"vox/eq1.band1.gain_db" -> ("vox/eq1", "band1.gain_db"): the first dot ends the path."""
    path, dot, param = name.partition(".")
    if not path or not dot or not param:
        raise UsageError(f"'{name}' is not a parameter; write path.name, as in vox.gain_db", "BAD_PATH", name)
    return path, param


def split_path(path: str) -> tuple[str, str]:
    """"vox/eq1" -> ("vox", "eq1"); the parent of "vox" is ""."""
    parent, slash, ident = path.rpartition("/")
    if not ident or (slash and not parent):
        raise UsageError(f"'{path}' is not a path; write ids joined by '/', as in vox/eq1", "BAD_PATH", path)
    return parent, ident


def to_value(value: Value) -> struct_pb2.Value:
    """A plain value as the wire has it. UsageError for anything else."""
    if isinstance(value, bool):
        return struct_pb2.Value(bool_value=value)
    if isinstance(value, (int, float)):
        return struct_pb2.Value(number_value=value)
    if isinstance(value, str):
        return struct_pb2.Value(string_value=value)
    raise UsageError(f"a parameter's value is a number, a bool or a text, not a {type(value).__name__}", "WRONG_KIND")


class Operations(ShowOperations):
    """A list of operations that are applied all or none, in order, at one frame. Each method adds one; the daemon checks
    them when they are sent. Paths are ids joined by "/" ("vox/eq1"), channels count from 1, levels are in dB (-150 is
    silence). Not for several threads at once."""

    # -- the tree ------------------------------------------------------------------------------------------------------
    def add_node(self, path: str, type: str, params: Mapping[str, Value] | None = None, *, label: str = "",
                 children: Sequence[Mapping[str, Any]] = (), before: str | None = None) -> None:
        """Adds "parent/id". `type`: what `Client.types` lists. `children`: nodes as the session file writes them.
        `before`: the sibling's id before which it goes, else at the end. ExistsError where a sibling has the id."""
        parent, ident = split_path(path)
        node: dict[str, Any] = {"id": ident, "type": type}
        if label:
            node["label"] = label
        if params:
            node["params"] = dict(params)
        if children:
            node["children"] = [dict(child) for child in children]
        op = v1.AddNode(parent=parent, before=before)
        json_format.ParseDict(node, op.node)
        self._put(add_node=op)

    def add_track(self, path: str, file: str | None = None, params: Mapping[str, Value] | None = None, *,
                  label: str = "", connect: str | None = "out", before: str | None = None) -> None:
        """Adds a track; with `file` ("root:relative") a player of it, "path/player", below. `connect`: where the track
        goes to; None: nowhere."""
        player = [{"id": "player", "type": "player", "params": {"file": file}}] if file is not None else []
        self.add_node(path, "track", params, label=label, children=player, before=before)
        if connect is not None:
            self.connect(path, connect)

    def remove_node(self, path: str) -> None:
        """The node, what is below it, and every connection to or from any of these."""
        self._put(remove_node=v1.RemoveNode(path=path))

    def move_node(self, path: str, parent: str | None = None, *, before: str | None = None,
                  id: str | None = None) -> None:
        """To another parent ("" is the root), place, or id; it keeps its state, and nobody hears it."""
        self._put(move_node=v1.MoveNode(path=path, parent=parent, before=before, id=id))

    def set_label(self, path: str, label: str) -> None:
        """Free text for people."""
        self._put(set_label=v1.SetLabel(path=path, label=label))

    def connect(self, source: str, target: str, gain_db: float | None = None,
                channels: Iterable[tuple[int, int]] = ()) -> None:
        """"path" or "path:port" at both ends ("out:3" is the device's third output). `gain_db`: -150 to 24, default 0.
        `channels`: pairs (from, to); none: 1 to 1, 2 to 2, and so on. ExistsError for a second equal one."""
        pairs = [v1.ChannelPair(**{"from": a, "to": b}) for a, b in channels]
        ends: dict[str, Any] = {"from": source, "to": target}  # `from` is a word of Python's
        self._put(connect=v1.Connect(**ends, gain_db=gain_db, channels=pairs))

    def disconnect(self, source: str, target: str) -> None:
        """Every connection between the two; NotFoundError where there is none."""
        self._put(disconnect=v1.Disconnect(**{"from": source}, to=target))

    # -- parameters ----------------------------------------------------------------------------------------------------
    def set(self, name: str, value: Value, *, ramp_ms: float | None = None) -> None:
        """One parameter: "vox.gain_db". `ramp_ms`: 0 to 600000; None: the parameter's own smoothing. BadDataError where
        the value is out of the spec's range (it is never clipped), or an automation lane is on (AUTOMATED)."""
        path, param = split_param(name)
        self.set_params(path, {param: value}, ramp_ms=ramp_ms)

    def set_params(self, path: str, values: Mapping[str, Value], *, ramp_ms: float | None = None) -> None:
        """Several parameters of one node."""
        op = v1.SetParams(path=path, ramp_ms=ramp_ms)
        for name, value in values.items():
            op.values[name].CopyFrom(to_value(value))
        self._put(set_params=op)

    def automate(self, name: str, points: Iterable[Point] = (), *, on: bool | None = None) -> None:
        """The automation lane of "vox.gain_db": its points, all of them, 1 to 65536 with rising frames (of the session's
        rate); none: those before stay. `on`: False brings the parameter's own value back; None: as it was."""
        path, param = split_param(name)
        op = v1.SetAutomation(path=path, param=param)
        for frame, value, *curve in points:
            op.points.add(frame=frame, value=value, curve=str(curve[0]) if curve else "")
        if on is not None:
            op.on = on
        self._put(set_automation=op)

    def clear_automation(self, name: str) -> None:
        """Removes the lane with its points."""
        path, param = split_param(name)
        self._put(clear_automation=v1.ClearAutomation(path=path, param=param))

    # -- transport and recorders ---------------------------------------------------------------------------------------
    def play(self, *players: str) -> None:
        """Starts the timeline, or the named free players."""
        self._put(play=v1.Play(players=players))

    def stop(self, *players: str) -> None:
        """Stops the timeline, or the named free players, where they are."""
        self._put(stop=v1.Stop(players=players))

    def locate(self, timeline_frame: int) -> None:
        """Moves the timeline, rolling or not. Frames of the session's rate, 0 or more."""
        self._put(locate=v1.Locate(timeline_frame=timeline_frame))

    def record_start(self, *nodes: str, file: str | None = None, frames: int | None = None,
                     split_channels: bool | None = None, format: str | None = None,
                     split_seconds: float | None = None, split_bytes: int | None = None,
                     stop_timeline_frame: int | None = None, second_root: str | None = None,
                     next_free_name: bool | None = None) -> None:
        """Starts takes: of these recorders (or "out", "in", a track, a bus), else of every armed recorder, else of "out".
        `file`: "root:relative.wav" or ".flac", of one node. `frames`: stop after so many engine frames, exactly.
        `format`: "FLOAT32", "PCM24", "PCM16", "FLAC24" or "FLAC16". The rest as in proto/continuo/v1/record.proto."""
        op = v1.RecordStart(nodes=nodes, file=file, frames=frames, split_seconds=split_seconds, split_bytes=split_bytes,
                            stop_timeline_frame=stop_timeline_frame, second_root=second_root)
        if split_channels is not None:
            op.split_channels = split_channels
        if format is not None:
            op.format = _take_format(format)
        if next_free_name is not None:
            op.next_free_name = next_free_name
        self._put(record_start=op)

    def record_stop(self, *nodes: str) -> None:
        """Stops takes: of these nodes, else all. The answer waits until the files are closed: `Answer.closed_takes`."""
        self._put(record_stop=v1.RecordStop(nodes=nodes))


def _take_format(name: str) -> v1.TakeFormat:
    try:
        chosen: v1.TakeFormat = v1.TakeFormat.Value("TAKE_FORMAT_" + name.upper())
        return chosen
    except ValueError as error:
        raise UsageError(f"'{name}' is no format of takes; write FLOAT32, PCM24, PCM16, FLAC24 or FLAC16",
                         "OUT_OF_RANGE", "format") from error
