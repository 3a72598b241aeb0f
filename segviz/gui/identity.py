"""Which object something was made of, remembered so that another object is never taken for it."""

from __future__ import annotations


class Same:
    """Part of a key: equal to what holds the very same object, however that object compares.

    It holds the object: the `id` of one that is gone soon belongs to another, and mere ids call both the same.
    """

    __slots__ = ("held",)

    def __init__(self, held: object) -> None:
        self.held = held

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.held is self.held

    def __hash__(self) -> int:
        return id(self.held)
