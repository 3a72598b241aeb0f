"""How an image lies in a network's input, and where grids of scores lie in the image: both ways between the two.

Everything is in pixels whose centres are integers, (x, y) for places, (height, width) for sizes.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

from segviz.core.field import Box, cell_of
from segviz.core.steps import Law


@dataclass(frozen=True, slots=True)
class Frame:
    """How an image lies in a network's input: resized to `inner`, then padded to `outer`.

    All three are (height, width). `corner` (y, x) is what is padded at top and left, the rest goes to bottom
    and right. Positions and boxes cross between the two here and nowhere else.
    """

    image: tuple[int, int]
    inner: tuple[int, int]
    outer: tuple[int, int]
    corner: tuple[int, int] = (0, 0)

    @property
    def zoom(self) -> tuple[float, float]:
        """Network pixels per image pixel, (y, x)."""
        return self.inner[0] / self.image[0], self.inner[1] / self.image[1]

    def to_network(self, x: float, y: float) -> tuple[float, float]:
        zoom_y, zoom_x = self.zoom
        top, left = self.corner
        return (x + 0.5) * zoom_x - 0.5 + left, (y + 0.5) * zoom_y - 0.5 + top

    def to_image(self, x: float, y: float) -> tuple[float, float]:
        zoom_y, zoom_x = self.zoom
        top, left = self.corner
        return (x - left + 0.5) / zoom_x - 0.5, (y - top + 0.5) / zoom_y - 0.5

    def box_to_image(self, box: Box) -> Box:
        """A box of the network's input in image pixels; exact where nothing was resized."""
        top, left = self.corner
        box = Box(box.left - left, box.top - top, box.right - left, box.bottom - top)
        if self.image == self.inner:
            return box
        zoom_y, zoom_x = self.zoom
        return Box(box.left / zoom_x, box.top / zoom_y, box.right / zoom_x, box.bottom / zoom_y)

    def window(self, size: tuple[int, int], x: float, y: float) -> tuple[int, int]:
        """(left, top) in network pixels of the window of `size` (height, width) whose corner is nearest to (x, y).

        (x, y) is in pixel edges of the image. The window stays inside the image as far as it fits; a
        larger one begins in the corner and reaches into the padding. For classifiers, whose images are
        padded at bottom and right alone.
        """

        def nearest(edge: float, zoom: float, room: int) -> int:
            return max(0, min(room, floor(edge * zoom + 0.5)))

        zoom_y, zoom_x = self.zoom
        (height, width), (rows, columns) = self.inner, size
        return nearest(x, zoom_x, width - columns), nearest(y, zoom_y, height - rows)

    def window_box(self, size: tuple[int, int], x: float, y: float) -> Box:
        """That window in image pixels."""
        left, top = self.window(size, x, y)
        return self.box_to_image(Box(left, top, left + size[1], top + size[0]))

    def square(self, x: float, y: float, side: float) -> Box:
        """The whole network pixels of a square of the image, at least one, moved inside the image.

        (`x`, `y`) is its left top corner in pixel edges of the image, `side` its side in image pixels.
        """

        def nearest(edge: float, zoom: float, size: int, corner: int) -> tuple[int, int]:
            count = max(1, min(size, floor(side * zoom + 0.5)))
            first = max(0, min(size - count, floor(edge * zoom + 0.5)))
            return corner + first, corner + first + count

        (zoom_y, zoom_x), (rows, columns), (corner_y, corner_x) = self.zoom, self.inner, self.corner
        (left, right), (top, bottom) = nearest(x, zoom_x, columns, corner_x), nearest(y, zoom_y, rows, corner_y)
        return Box(left, top, right, bottom)

    def per_pixel_lattice(self, found: tuple[int, int], traced: tuple[Law, Law]) -> Lattice:
        """Where the outputs of a network sit that answers per pixel: centred, a border cut off on both sides if any.

        `found` is (rows, columns) of what it answers; those over what is padded at bottom and right are left out. Their
        stride is that of `traced`, unless so many outputs would not fit into the input.
        """
        laws = []
        sizes = []
        sides = zip(self.outer, found, self.inner, self.corner, traced, strict=True)
        for size_in, size_out, inner, corner, law in sides:
            stride = max(1, round(law.stride))
            if size_out * stride > size_in:
                stride = max(1, round(size_in / size_out))
            laws.append(Law((size_in - size_out * stride) / 2 + (stride - 1) / 2, stride))
            sizes.append(_before(corner + inner, size_out, laws[-1]))
        return self.lattice(sizes[0], sizes[1], laws[0], laws[1])

    def seen_units(self, grid: tuple[int, int], laws: tuple[Law, Law]) -> tuple[int, int]:
        """How many rows and columns of a grid of units do not lie over what is padded at bottom and right."""
        sides = zip(grid, laws, self.corner, self.inner, strict=True)
        rows, columns = (_before(corner + inner, size, law) for size, law, corner, inner in sides)
        return rows, columns

    def lattice(self, rows: int, columns: int, y: Law, x: Law) -> Lattice:
        """The positions of a grid of units, given in network pixels, in image pixels."""
        zoom_y, zoom_x = self.zoom
        start_x, start_y = self.to_image(x.start, y.start)
        return Lattice(rows, columns, (start_x, start_y), (x.stride / zoom_x, y.stride / zoom_y))


def _before(end: int, size: int, law: Law) -> int:
    """How many of `size` units sit before the pixel `end`, one at least."""
    return max(1, min(size, int((end - 1 - law.start) // law.stride) + 1))


@dataclass(frozen=True, slots=True)
class Lattice:
    """Where the units of a grid of scores sit in the image: `start + unit * stride`, each (x, y) in image pixels."""

    rows: int
    columns: int
    start: tuple[float, float]
    stride: tuple[float, float]

    @property
    def laws(self) -> tuple[Law, Law]:
        """Along y and x."""
        return Law(self.start[1], self.stride[1]), Law(self.start[0], self.stride[0])

    def position_of(self, row: int, column: int) -> tuple[float, float]:
        return self.start[0] + column * self.stride[0], self.start[1] + row * self.stride[1]

    def cell_at(self, x: float, y: float) -> tuple[int, int]:
        law_y, law_x = self.laws
        return law_y.nearest(y, self.rows), law_x.nearest(x, self.columns)

    def cell_box(self, row: int, column: int) -> Box:
        """The cell of a unit: one stride wide, about the unit's position."""
        return cell_of(*self.laws, row, column)

    def resized(self, zoom: tuple[float, float]) -> Lattice:
        """The same units in the pixels of the image resized by `zoom` (y, x)."""
        y, x = zoom
        start = ((self.start[0] + 0.5) * x - 0.5, (self.start[1] + 0.5) * y - 0.5)
        return Lattice(self.rows, self.columns, start, (self.stride[0] * x, self.stride[1] * y))
