"""Pictures of what the shipped FCNs answer: `docs/pictures.py` makes them with the others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from segviz.core import assets, catalogue
from segviz.core.choices import Palette
from segviz.core.export import overlay_labels
from segviz.core.images import open_picture
from segviz.core.masks import open_mask
from segviz.core.palettes import class_colours
from segviz.core.requests import SegmentRequest, Setup
from segviz.engine.flow import finished
from segviz.engine.run import Engine

NETWORKS = {name: f"fcn{name.removeprefix('FCN-')}-efficientnet_lite0" for name in ("FCN-32s", "FCN-16s", "FCN-8s")}
SCENES = ("scene-02", "scene-15", "scene-26", "scene-32", "scene-49", "scene-12", "scene-47")  # two of them fail
PHOTOGRAPHS = ("chelsea.png", "raccoon.jpg", "european-honey-bee.jpg", "citrus-fruits.jpg", "flower.jpg")
FAILURES = ("coffee.png", "grace_hopper.jpg")  # nothing of the classes, or a person, who is none of them
SIDE, MARGIN, LINE = 168, 10, 26  # pixels: of a panel, about it, of the line above a column
PAPER, INK = "#ffffff", "#1c1f24"


def scenes(file: Path) -> None:
    """Held-out scenes: the picture, the truth, and the three networks."""
    engine, folder = Engine(), assets.dataset("scenes")
    colours = _colours()
    rows = []
    for name in SCENES:
        image = folder / "images" / f"{name}.jpg"
        found = [_labels(engine, spec, image) for spec in NETWORKS.values()]
        labels = (open_mask(folder / "masks" / f"{name}.png"), *found)
        rows.append([open_picture(image).pixels, *(colours[one] for one in labels)])
    _sheet(("scene", "truth", *NETWORKS), rows).save(file, optimize=True)


def photographs(file: Path) -> None:
    """Photographs that nothing was learned from, under the labels of the three networks."""
    engine, rows = Engine(), []
    colours, visible = class_colours(Palette.OKABE_ITO, len(_classes())), np.arange(len(_classes())) > 0
    for name in (*PHOTOGRAPHS, *FAILURES):
        image = assets.sample(name)
        pixels = open_picture(image).pixels
        found = [_labels(engine, spec, image) for spec in NETWORKS.values()]
        rows.append([pixels, *(overlay_labels(pixels, one, colours, visible) for one in found)])
    _sheet(("photograph", *NETWORKS), rows).save(file, optimize=True)


def _classes() -> tuple[str, ...]:
    return catalogue.entry(NETWORKS["FCN-8s"]).classes


def _colours() -> np.ndarray:
    colours = np.array(class_colours(Palette.OKABE_ITO, len(_classes())))
    colours[0] = 24
    return colours


def _labels(engine: Engine, spec: str, image: Path) -> np.ndarray:
    return finished(engine.predict(SegmentRequest(Setup(spec, str(image))))).labels


def _sheet(heads: Sequence[str], rows: Sequence[Sequence[np.ndarray]]) -> Image.Image:
    """Panels of equal height in rows, a head above each column."""
    wide = [max(round(SIDE * row[0].shape[1] / row[0].shape[0]) for row in rows)] * len(heads)
    size = MARGIN + sum(wide) + MARGIN * len(wide), LINE + (SIDE + MARGIN) * len(rows) + MARGIN
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    for column, head in enumerate(heads):
        left = MARGIN + column * (wide[0] + MARGIN)
        draw.text((left, MARGIN // 2), head, INK, ImageFont.load_default(15))
        for line, row in enumerate(rows):
            pixels = np.ascontiguousarray(row[column][..., :3].astype(np.uint8))
            width = round(SIDE * pixels.shape[1] / pixels.shape[0])
            shown = Image.fromarray(pixels).resize((width, SIDE), Image.Resampling.LANCZOS)
            sheet.paste(shown, (left, LINE + line * (SIDE + MARGIN)))
    return sheet


TAUGHT = {"taught-scenes": scenes, "taught-photographs": photographs}
