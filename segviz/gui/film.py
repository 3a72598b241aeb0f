"""The tiles of the filmstrip: what the forerunners of a unit see, as pictures with names and numbers."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage

from segviz.gui import theme, unit_words, words
from segviz.gui.panels.pixels import seen
from segviz.gui.scene import Scene
from segviz.gui.sighting import Still, stills
from segviz.gui.widgets.filmstrip import Tile

ALIKE = 0.01  # of the width: rounding an image to whole pixels resizes its axes by factors that differ so much
WHOLE = 1000  # px from which on decimals are left out: a tile is too narrow for them


def tiles_of(scene: Scene, most: int, side: int, tokens: theme.Tokens) -> tuple[tuple[Still, ...], tuple[Tile, ...]]:
    """The stills of the pinned unit and a tile for each, `side` pixels at its longer side; none without a picture."""
    if scene.picture is None:
        return (), ()
    found = stills(scene, most)
    return found, tuple(
        Tile(
            picture_of(still, scene, side, tokens),
            title,
            (size_text(still), grid_text(still, scene)),
            hint_of(still, scene),
            inner_of(found, at),
        )
        for at, (still, title) in enumerate(zip(found, titles(found), strict=True))
    )


def inner_of(found: Sequence[Still], at: int) -> QRectF | None:
    """Where the field of the still before lies in that of still `at`, in shares of it; None where it is as large."""
    if at == 0:
        return None
    outer, inner = found[at].field, found[at - 1].field
    place = QRectF(
        (inner.left - outer.left) / outer.width,
        (inner.top - outer.top) / outer.height,
        inner.width / outer.width,
        inner.height / outer.height,
    )
    return place if place.width() < 1 and place.height() < 1 else None


def grid_text(still: Still, scene: Scene) -> str:
    """The units of the layer, rows × columns, as all grids are said."""
    assert scene.network is not None
    return words.shape(scene.network.geometry.grid(still.layer))


def titles(found: Sequence[Still]) -> tuple[str, ...]:
    """The names of the layers without the outer containers that they need not be told apart: there is little room.

    The last container stays where a name would begin with a number without it.
    """
    names = [still.layer for still in found]
    while True:
        shorter = [_within(name) for name in names]
        if shorter == names or len(set(shorter)) < len(set(names)):
            return tuple(names)
        names = shorter


def _within(name: str) -> str:
    """A layer's name inside its outermost container; whole where that leaves a number."""
    _, _, rest = name.partition(".")
    return rest if rest and not rest[0].isdigit() else name


def picture_of(still: Still, scene: Scene, side: int, tokens: theme.Tokens) -> QImage:
    """What the still's unit sees, hatched outside the image."""
    assert scene.picture is not None
    return seen(scene.picture.pixels, still.field, side, tokens, unit_words.mirrors(scene.network))


def size_text(still: Still) -> str:
    """'39 px', or 'width×height px' where the two differ by more than the image was resized otherwise."""
    wide, high = still.field.width, still.field.height
    alike = abs(wide - high) <= ALIKE * wide
    if not alike:
        return f"{wide:,.0f}×{high:,.0f} px"  # as short as a tile is wide
    return f"{words.length(wide)} px" if wide < WHOLE else f"{wide:,.0f} px"


def hint_of(still: Still, scene: Scene) -> str:
    """What a tile says when the mouse rests on it."""
    assert scene.picture is not None
    outside = still.field.outside(scene.picture.width, scene.picture.height)
    hatched = f"Hatched: {words.share(outside)}, {unit_words.beyond(scene.network)}. "
    units = words.shape((still.rows, still.columns))
    size = words.size(still.field.width, still.field.height)
    needs = "one unit" if still.rows == still.columns == 1 else f"{units} units"
    return (
        f"{still.layer}: the pinned unit needs {needs} of it; the one at the pinned place sees {size} image pixels. "
        f"{hatched if outside >= unit_words.WORTH else ''}Click to go there."
    )
