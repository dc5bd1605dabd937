"""A copy of the document that follows the daemon's changes. Values only: no thread, no daemon."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf import json_format

from . import v1
from .answers import Revision
from .events import Change, Snapshot

Node = dict[str, Any]
#: Type -> parameter -> default value.
Defaults = Mapping[str, Mapping[str, Any]]


_FOLLOWED = {"add_node", "remove_node", "move_node", "set_label", "connect", "disconnect", "set_params", "set_automation",
             "clear_automation"}


class _NotHere(Exception):
    """An operation that only the daemon can do to the document."""


class FollowedDocument:
    """The session file's JSON as of `revision`. A document that was here is never written again: each change makes another
    one, which shares with it what is the same.

    What a session file leaves out is left out here: parameters at their defaults, empty lists. `follow` does what it can
    do exactly; for the rest (queues, cues, the device's own nodes, operations of a newer daemon, a gap) it says so, and the
    document is to be fetched anew: see `replace`."""

    def __init__(self, defaults: Defaults) -> None:
        self.defaults = defaults
        self.document: dict[str, Any] = {}
        self.revision: Revision | None = None

    def take(self, snapshot: Snapshot) -> None:
        """The document of a snapshot, as of its revision."""
        self.document = snapshot.document
        self.revision = snapshot.revision

    def replace(self, document: dict[str, Any], revision: Revision) -> bool:
        """A document that was fetched. False, and nothing is changed, where it is of another epoch (a snapshot is on its
        way) or older than what is here."""
        if self.revision is None or revision.epoch != self.revision.epoch or revision.number < self.revision.number:
            return False
        self.document, self.revision = document, revision
        return True

    def follow(self, change: Change) -> bool:
        """False: this cannot be followed from what is here; nothing of it was done, the revision is the one before."""
        if self.revision is None or change.revision.epoch != self.revision.epoch:
            return False
        if change.revision.number <= self.revision.number:
            return True  # nothing new in the document, or fetched with it
        if change.revision.number != self.revision.number + 1:
            return False
        edit = _Edit(self.document, self.defaults)
        try:
            for operation in change.operations:
                edit.apply(operation)
        except (_NotHere, KeyError):
            return False
        self.document, self.revision = edit.document, change.revision
        return True


class _Edit:
    """Operations on a copy: what is changed is copied from the root down, the rest is shared."""

    def __init__(self, document: dict[str, Any], defaults: Defaults) -> None:
        self.document = dict(document)
        self.defaults = defaults

    def apply(self, operation: v1.Operation) -> None:
        kind = operation.WhichOneof("kind")
        if kind in ("play", "stop", "locate", "record_start", "record_stop", "skip", "cue_next"):
            return
        handler = getattr(self, "_" + kind, None) if kind in _FOLLOWED else None
        if handler is None:
            raise _NotHere(kind)
        handler(getattr(operation, kind))

    # Where nodes are. ------------------------------------------------------------------------------------------------
    def _node(self, path: str) -> Node:
        """A copy, in its place, that may be written. The daemon alone knows when `in` and `out` are written, and where."""
        if path in ("in", "out"):
            raise _NotHere(path)
        owner, key = self.document, "nodes"
        for ident in path.split("/"):
            nodes = list(owner[key])
            place = _place(nodes, ident)
            nodes[place] = dict(nodes[place])
            owner[key] = nodes
            owner, key = nodes[place], "children"
        return owner

    def _list_of(self, parent: str) -> tuple[dict[str, Any], str]:
        return (self._node(parent), "children") if parent else (self.document, "nodes")

    def _insert(self, parent: str, node: Node, before: str | None) -> None:
        owner, key = self._list_of(parent)
        siblings = owner.get(key, [])
        if not parent and (before in ("in", "out") or any(s["id"] in ("in", "out") for s in siblings)):
            raise _NotHere(parent)
        place = len(siblings) if before is None else _place(siblings, before)
        owner[key] = [*siblings[:place], node, *siblings[place:]]

    def _take_out(self, path: str) -> Node:
        if path in ("in", "out"):
            raise _NotHere(path)
        parent, _, ident = path.rpartition("/")
        owner, key = self._list_of(parent)
        siblings = list(owner[key])
        node: Node = siblings.pop(_place(siblings, ident))
        _put(owner, key, siblings, [])
        return node

    # Operations. -----------------------------------------------------------------------------------------------------
    def _add_node(self, op: v1.AddNode) -> None:
        self._insert(op.parent, _tidy(json_format.MessageToDict(op.node)), op.before if op.HasField("before") else None)

    def _remove_node(self, op: v1.RemoveNode) -> None:
        self._take_out(op.path)
        self._keep([c for c in self.document.get("connections", [])
                    if not _at_or_below(c["from"], op.path) and not _at_or_below(c["to"], op.path)])

    def _move_node(self, op: v1.MoveNode) -> None:
        if "cues" in self.document:
            raise _NotHere("cues")  # their operations name paths, too
        old_parent, _, old_id = op.path.rpartition("/")
        parent = op.parent if op.HasField("parent") else old_parent
        ident = op.id if op.HasField("id") else old_id
        before = op.before if op.HasField("before") else None
        if (parent, before) == (old_parent, old_id):
            self._node(op.path)["id"] = ident
        else:
            self._insert(parent, {**self._take_out(op.path), "id": ident}, before)
        new_path = f"{parent}/{ident}" if parent else ident

        def moved(end: str) -> str:
            return new_path + end[len(op.path):] if _at_or_below(end, op.path) else end
        self._keep([{**c, "from": moved(c["from"]), "to": moved(c["to"])} for c in self.document.get("connections", [])])

    def _set_label(self, op: v1.SetLabel) -> None:
        _put(self._node(op.path), "label", op.label, "")

    def _connect(self, op: v1.Connect) -> None:
        connection: dict[str, Any] = {"from": getattr(op, "from"), "to": op.to}
        if op.gain_db != 0.0:
            connection["gain_db"] = _number(op.gain_db)
        if op.channels:
            connection["channels"] = [{"from": getattr(pair, "from"), "to": pair.to} for pair in op.channels]
        others = self.document.get("connections", [])
        place = op.place - 1 if op.HasField("place") else len(others)
        self._keep([*others[:place], connection, *others[place:]])

    def _disconnect(self, op: v1.Disconnect) -> None:
        self._keep([c for c in self.document.get("connections", [])
                    if (c["from"], c["to"]) != (getattr(op, "from"), op.to)])

    def _keep(self, connections: list[dict[str, Any]]) -> None:
        _put(self.document, "connections", connections, [])

    def _set_params(self, op: v1.SetParams) -> None:
        node = self._node(op.path)
        defaults = self.defaults[node["type"]]
        params = dict(node.get("params", {}))
        for name, value in op.values.items():
            _put(params, name, _plain(json_format.MessageToDict(value)), defaults[name])
        _put(node, "params", params, {})

    def _set_automation(self, op: v1.SetAutomation) -> None:
        node = self._node(op.path)
        lanes = dict(node.get("automation", {}))
        lane = dict(lanes.get(op.param, {}))
        if op.points:
            lane["points"] = [_point(point) for point in op.points]
        if op.HasField("on"):
            _put(lane, "on", op.on, True)
        lanes[op.param] = lane
        node["automation"] = lanes

    def _clear_automation(self, op: v1.ClearAutomation) -> None:
        node = self._node(op.path)
        lanes = dict(node["automation"])
        del lanes[op.param]
        _put(node, "automation", lanes, {})


def find_node(document: Mapping[str, Any], path: str) -> Node | None:
    """The node of a session's JSON; None where there is none. `in` and `out` are there only where they differ from new."""
    nodes, found = document.get("nodes", []), None
    for ident in path.split("/"):
        found = next((node for node in nodes if node["id"] == ident), None)
        if found is None:
            return None
        nodes = found.get("children", [])
    return found


def walk(document: Mapping[str, Any]) -> Iterator[tuple[str, Node]]:
    """Every node with its path, each before its children."""
    def below(nodes: list[Node], parent: str) -> Iterator[tuple[str, Node]]:
        for node in nodes:
            path = parent + node["id"]
            yield path, node
            yield from below(node.get("children", []), path + "/")
    return below(document.get("nodes", []), "")


def read_defaults(types: v1.ListTypesResponse) -> Defaults:
    """Type -> parameter -> default value, of ListTypes."""
    return {t.name: {p.name: _plain(json_format.MessageToDict(p.default_value)) for p in t.params} for t in types.types}


def _place(nodes: list[Node], ident: str) -> int:
    for place, node in enumerate(nodes):
        if node["id"] == ident:
            return place
    raise KeyError(ident)


def _at_or_below(endpoint: str, path: str) -> bool:
    here = endpoint.partition(":")[0]
    return here == path or here.startswith(path + "/")


def _put(owner: dict[str, Any], key: str, value: Any, absent: Any) -> None:
    if value == absent:
        owner.pop(key, None)
    else:
        owner[key] = value


def _number(value: float) -> float:
    return int(value) if value == int(value) else value


def _plain(value: Any) -> Any:
    """Whole numbers as the session file writes them."""
    return _number(value) if isinstance(value, float) else value


def _point(point: v1.AutomationPoint) -> dict[str, Any]:
    made: dict[str, Any] = {"frame": point.frame, "value": _number(point.value)}
    if point.curve not in ("", "linear"):
        made["curve"] = point.curve
    return made


def _tidy(value: Any) -> Any:
    """A node as the daemon accepted it -> as the session file has it."""
    if isinstance(value, dict):
        return {key: _tidy(each) for key, each in value.items() if key != "uid"}
    return [_tidy(each) for each in value] if isinstance(value, list) else _plain(value)
