"""The operations on queues and cues; a part of `Operations`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from . import v1
from .errors import UsageError

#: An item of a queue: its uid; `number(3)`, its place from 1; or "current".
ItemRef = int | str | v1.QueueRef
#: A cue: its name, or its uid.
CueName = str | int | v1.CueRef
#: A file, or the fields of a QueueItem (see proto/continuo/v1/types.proto): {"file": "music:a.wav", "gain_db": -3}.
Item = str | Mapping[str, Any] | v1.QueueItem


def number(place: int) -> v1.QueueRef:
    """An item by its place in the queue, from 1."""
    return v1.QueueRef(number=place)


def to_item_ref(item: ItemRef) -> v1.QueueRef:
    """UsageError for a text other than "current"."""
    if isinstance(item, v1.QueueRef):
        return item
    if isinstance(item, int):
        return v1.QueueRef(uid=item)
    if item == "current":
        return v1.QueueRef(current=True)
    raise UsageError(f"'{item}' is no item of a queue; give its uid, number(3), or \"current\"", "BAD_REF")


def to_cue_ref(cue: CueName) -> v1.CueRef:
    """A name or a uid as the wire has it."""
    if isinstance(cue, v1.CueRef):
        return cue
    return v1.CueRef(uid=cue) if isinstance(cue, int) else v1.CueRef(name=cue)


def _item(item: ItemRef | None) -> v1.QueueRef | None:
    return None if item is None else to_item_ref(item)


def _cue(cue: CueName | None) -> v1.CueRef | None:
    return None if cue is None else to_cue_ref(cue)


def to_queue_item(item: Item) -> v1.QueueItem:
    """UsageError for fields that an item does not have."""
    if isinstance(item, v1.QueueItem):
        return item
    try:
        return v1.QueueItem(file=item) if isinstance(item, str) else v1.QueueItem(**item)
    except (ValueError, TypeError) as error:
        raise UsageError(f"no item of a queue: {error}", "UNKNOWN_FIELD", "items") from error


class ShowOperations:
    """Queues and cues. See `Operations`."""

    def __init__(self) -> None:
        self._operations: list[v1.Operation] = []

    @property
    def operations(self) -> list[v1.Operation]:
        """What was added so far."""
        return self._operations

    def add(self, *operations: v1.Operation) -> None:
        """Operations as the API has them: what this class has no method for."""
        self._operations.extend(operations)

    def _put(self, **kind: Any) -> None:
        self._operations.append(v1.Operation(**kind))

    # -- queues of players ---------------------------------------------------------------------------------------------
    def queue_insert(self, path: str, items: Iterable[Item], *, before: ItemRef | None = None,
                     after: ItemRef | None = None) -> None:
        """1 to 1000 items into the player's queue, at its end unless `before` or `after` says where."""
        self._put(queue_insert=v1.QueueInsert(path=path, items=[to_queue_item(item) for item in items],
                                              before=_item(before), after=_item(after)))

    def queue_remove(self, path: str, *items: ItemRef) -> None:
        """These items, none twice; without any: all of them."""
        self._put(queue_remove=v1.QueueRemove(path=path, items=[to_item_ref(item) for item in items], all=not items))

    def queue_move(self, path: str, item: ItemRef, *, before: ItemRef | None = None,
                   after: ItemRef | None = None) -> None:
        """To another place; to the end where none is given."""
        self._put(queue_move=v1.QueueMove(path=path, item=to_item_ref(item), before=_item(before),
                                          after=_item(after)))

    def queue_set(self, path: str, item: ItemRef, values: Mapping[str, Any]) -> None:
        """Fields of an item: `{"gain_db": -3, "fade_in_ms": 20}`; the rest stays."""
        self._put(queue_set=v1.QueueSet(path=path, item=to_item_ref(item), values=to_queue_item(values)))

    def skip(self, path: str, by: int | None = None, *, item: ItemRef | None = None) -> None:
        """A free player's next item (`by` 1, the default), the one before (-1), this one again (0), or the named one."""
        if item is not None:
            self._put(skip=v1.Skip(path=path, item=to_item_ref(item)))
        else:
            self._put(skip=v1.Skip(path=path, by=1 if by is None else by))

    # -- cues ----------------------------------------------------------------------------------------------------------
    def cue_insert(self, name: str, operations: ShowOperations, label: str = "", *, before: CueName | None = None,
                   after: CueName | None = None) -> None:
        """A step of the show: what `operations` does, once `go` fires it. `name`: [A-Za-z0-9._-]{1,63}. At the list's end
        unless `before` or `after` says where."""
        cue = v1.Cue(name=name, label=label, operations=operations.operations)
        self._put(cue_insert=v1.CueInsert(cues=[cue], before=_cue(before), after=_cue(after)))

    def cue_remove(self, *cues: CueName) -> None:
        """These cues; without any: all of them."""
        self._put(cue_remove=v1.CueRemove(cues=[to_cue_ref(cue) for cue in cues], all=not cues))

    def cue_move(self, cue: CueName, *, before: CueName | None = None, after: CueName | None = None) -> None:
        """To another place; to the end where none is given."""
        self._put(cue_move=v1.CueMove(cue=to_cue_ref(cue), before=_cue(before), after=_cue(after)))

    def cue_set(self, cue: CueName, *, name: str = "", label: str | None = None,
                operations: ShowOperations | None = None) -> None:
        """Another name, label, or all of its operations; what is not given stays."""
        values = v1.Cue(name=name, operations=operations.operations if operations else [])
        self._put(cue_set=v1.CueSet(cue=to_cue_ref(cue), values=values, label=label))

    def cue_next(self, cue: CueName | None = None) -> None:
        """Makes this cue the next one, without a sound; None: the list's first."""
        self._put(cue_next=v1.CueNext(cue=_cue(cue)))

    def go(self, cue: CueName | None = None, *, expected: CueName | None = None, keep_next: bool = False) -> None:
        """Fires this cue, or the next one. `expected`: TryAgainError (NOT_NEXT) unless it is the next: so that two
        operators never fire twice. `keep_next`: the place in the list stays."""
        self._put(go=v1.Go(cue=_cue(cue), expected=_cue(expected), keep_next=keep_next))
