"""Pictures of the documents that show arrays and no window; `docs/pictures.py` makes them with the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from segviz.core.choices import ColourMap, Palette
from segviz.core.palettes import class_colours, colour_map
from segviz.core.weight_maps import weight_map
from segviz.training.cells import Cells

SIDE, ZOOM, MARGIN, LINE = (
    160,
    2,
    16,
    44,
)  # pixels: of the cells, how much larger they are shown, about them, of a caption
PAPER, INK, FAINT = "#ffffff", "#1c1f24", "#5b626d"
FARTHEST = 40.0  # pixels: the lightest in the maps of distances


def weights_of_cells(file: Path) -> None:
    """Six panels: drawn cells, their instances, the two distances, the class weights alone, and w(x)."""
    cells = Cells(SIDE, drawn=1)
    one = cells.culture(3, held_out=True)
    found = weight_map(one.instances, class_weights=cells.class_weights)
    colours = class_colours(Palette.GLASBEY, int(one.instances.max()) + 1)
    colours[0] = 0
    most = float(found.weights.max())
    balance = f"{cells.class_weights[0]:.2f} or {cells.class_weights[1]:.2f}"
    panels = (
        ("cells", "drawn by a program", np.repeat(one.image[..., None], 3, 2)),
        ("instances", "black: background", colours[one.instances]),
        ("d1", f"to the nearest cell: 0 to {FARTHEST:.0f} pixels", _heat(found.nearest, FARTHEST)),
        ("d2", f"to the second nearest: 0 to {FARTHEST:.0f} pixels", _heat(found.second, FARTHEST)),
        ("w_c", f"by class: {balance}; colours as in w", _heat(found.balance, most)),
        ("w", f"0 to {most:.1f}: gaps weigh most", _heat(found.weights, most)),
    )
    _sheet(panels, 3).save(file, optimize=True)


def _heat(values: np.ndarray, most: float) -> np.ndarray:
    """Values 0 to `most` in colours, uint8 (H, W, 3)."""
    return colour_map(ColourMap.VIRIDIS)[np.rint(np.clip(values / most, 0, 1) * 255).astype(np.uint8)]


def _sheet(panels: tuple[tuple[str, str, np.ndarray], ...], columns: int) -> Image.Image:
    """Panels in rows, each under its name and what it shows."""
    side = SIDE * ZOOM
    rows = -(-len(panels) // columns)
    size = MARGIN + columns * (side + MARGIN), rows * (LINE + side + MARGIN) + MARGIN // 2
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    for index, (name, what, pixels) in enumerate(panels):
        left = MARGIN + index % columns * (side + MARGIN)
        top = MARGIN // 2 + index // columns * (LINE + side + MARGIN)
        draw.text((left, top), name, INK, ImageFont.load_default(17))
        draw.text((left, top + 23), what, FAINT, ImageFont.load_default(13))
        shown = Image.fromarray(pixels).resize((side, side), Image.Resampling.NEAREST)
        sheet.paste(shown, (left, top + LINE))
    return sheet


DRAWN: dict[str, Callable[[Path], None]] = {"cells-weights": weights_of_cells}
