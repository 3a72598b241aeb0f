"""Arrays to small pictures and their order: pure functions of numpy arrays, no Qt.

Imported when something is to be shown, not when the window is built, since numpy takes its time.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from segviz.core import export, images, scores
from segviz.core.choices import MapOrder
from segviz.core.maps import MapStatistics
from segviz.core.requests import Prediction

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]
COARSE = 8  # steps from which on shrinking does not look at every pixel


# -------------------------------------------------------------------------------- feature maps


def order(statistics: MapStatistics, how: MapOrder, cell: tuple[int, int] | None) -> list[int]:
    """Indices of the maps as they are shown: by index, or the strongest first; ties keep the index's order."""
    return [int(i) for i in np.argsort(-ORDERS[how](statistics, cell), kind="stable")]


def _at_cursor(statistics: MapStatistics, cell: tuple[int, int] | None) -> Floats:
    values = statistics.values
    if cell is None or cell[0] >= values.shape[1] or cell[1] >= values.shape[2]:
        return -np.arange(len(values), dtype=np.float32)
    return np.nan_to_num(values[:, cell[0], cell[1]], nan=-np.inf)


ORDERS: dict[MapOrder, Callable[[MapStatistics, tuple[int, int] | None], Floats]] = {
    MapOrder.INDEX: lambda s, cell: -np.arange(len(s.values), dtype=np.float32),
    MapOrder.MEAN: lambda s, cell: s.mean,
    MapOrder.MAXIMUM: lambda s, cell: s.high,
    MapOrder.SPARSITY: lambda s, cell: s.sparsity,
    MapOrder.CURSOR: _at_cursor,
}


# ------------------------------------------------------------------------------------- heatmaps


def top_classes(prediction: Prediction, peak: Floats, count: int = 12) -> list[int]:
    """The classes worth a picture, the surest first."""
    return scores.foremost([index for index, _ in prediction.shares], peak, count)


# --------------------------------------------------------------------------------------- colours


def coloured(levels: Bytes, table: Bytes) -> Bytes:
    """uint8 levels (H, W) through a colour table (256, 3): (H, W, 3)."""
    return table[levels]


def over_grey(photograph: Bytes, probability: Floats, table: Bytes) -> Bytes:
    """A heatmap (H, W) over a dimmed grey photograph (H, W, 3), through a table of RGBA (256, 4)."""
    levels = np.rint(np.clip(probability, 0, 1) * 255).astype(np.uint8)
    return export.overlay_heat(export.greyed(photograph), levels, table)


def blank(height: int, width: int, longest: int) -> Bytes:
    """A dark ground in the shape of an image that is not there, at most `longest` pixels a side."""
    zoom = min(1.0, longest / max(height, width))
    return np.full((max(1, round(height * zoom)), max(1, round(width * zoom)), 3), 40, np.uint8)


def shrunk(pixels: Bytes, longest: int) -> Bytes:
    """`pixels` (H, W, 3) resized until their longest side is below twice `longest`: all of them, to the far edge."""
    step = max(pixels.shape[:2]) // longest
    if step <= 1:
        return pixels
    height, width = (max(1, round(size / step)) for size in pixels.shape[:2])
    if step > COARSE:  # a few pixels of each block say enough, and a photograph of 24 megapixels need not wait
        rows, columns = (_spread(size, 2 * wanted) for size, wanted in zip(pixels.shape, (height, width), strict=False))
        pixels = pixels[np.ix_(rows, columns)]
    return images.resize(pixels, height, width)


def _spread(size: int, count: int) -> npt.NDArray[np.intp]:
    """`count` of `size` indices, those in the middles of equal parts."""
    return np.asarray((np.arange(count) + 0.5) * size / count, np.intp)
