"""Small maps as images of a pixel a value, for a `MatrixBoard`. Loads numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from segviz.core import palettes
from segviz.core.choices import ColourMap

Map = npt.NDArray[np.floating[Any]]

SIGNED = ColourMap.DIVERGING  # of values about zero


def coloured(values: Map, low: float, high: float, how: ColourMap) -> QImage:
    """A pixel a value, from `low` to `high` through a colour map; what is not a number is transparent."""
    span = high - low if high > low else 1.0
    known = np.isfinite(values)
    level = np.rint(np.clip((np.where(known, values, low) - low) / span, 0, 1) * 255).astype(np.uint8)
    rgb = palettes.colour_map(how)[level]
    rgba = np.concatenate([rgb, np.where(known, 255, 0)[..., None].astype(np.uint8)], 2)
    rows, columns = values.shape
    return QImage(rgba.tobytes(), columns, rows, 4 * columns, QImage.Format.Format_RGBA8888).copy()


def about_zero(values: Map) -> QImage:
    """Signed values in blue and red, from the largest of them to its negative."""
    reach = float(np.abs(values[np.isfinite(values)]).max(initial=0.0)) or 1.0
    return coloured(values, -reach, reach, ColourMap.DIVERGING)


def kernel_image(kernel: Map, how: ColourMap) -> QImage:
    """A kernel in its own colours: from 0 to its largest number, about zero where it has negative ones."""
    return about_zero(kernel) if kernel.min() < 0 else coloured(kernel, 0.0, float(kernel.max()) or 1.0, how)
