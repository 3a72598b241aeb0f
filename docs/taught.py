"""Pictures of what the networks answer that segviz taught: `docs/pictures.py` makes them with the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from segviz.core import assets, catalogue
from segviz.core.choices import Palette
from segviz.core.export import overlay_labels
from segviz.core.images import open_picture
from segviz.core.instances import parts
from segviz.core.masks import open_mask
from segviz.core.metrics import IGNORED
from segviz.core.palettes import class_colours
from segviz.core.requests import SegmentRequest, Setup
from segviz.engine.flow import finished
from segviz.engine.run import Engine
from segviz.training.cells import Cells
from segviz.training.digit_pages import DigitPages

NETWORKS = {name: f"fcn{name.removeprefix('FCN-')}-efficientnet_lite0" for name in ("FCN-32s", "FCN-16s", "FCN-8s")}
SCENES = ("scene-02", "scene-15", "scene-26", "scene-32", "scene-49", "scene-12", "scene-47")  # two of them fail
PHOTOGRAPHS = ("chelsea.png", "raccoon.jpg", "european-honey-bee.jpg", "citrus-fruits.jpg", "flower.jpg")
FAILURES = ("coffee.png", "grace_hopper.jpg")  # nothing of the classes, or a person, who is none of them
CULTURES = (0, 5)  # held-out drawings
ON_PAGES = {
    "FCN-32s": "fcn32s-digits",
    "FCN-8s": "fcn8s-digits",
    "SegNet": "segnet-digits",
    "convolutions alone": "onlyconv-digits",
}
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
    _sheet(("scene", "truth", *NETWORKS), rows, _legend(colours)).save(file, optimize=True)


def photographs(file: Path) -> None:
    """Photographs that nothing was learned from, under the labels of the three networks."""
    engine, rows = Engine(), []
    colours, visible = class_colours(Palette.OKABE_ITO, len(_classes())), np.arange(len(_classes())) > 0
    for name in (*PHOTOGRAPHS, *FAILURES):
        image = assets.sample(name)
        pixels = open_picture(image).pixels
        found = [_labels(engine, spec, image) for spec in NETWORKS.values()]
        rows.append([pixels, *(overlay_labels(pixels, one, colours, visible) for one in found)])
    _sheet(("photograph", *NETWORKS), rows, _legend(colours)).save(file, optimize=True)


def cells(file: Path) -> None:
    """Two held-out drawings: each part of the truth and of an answer in a colour of its own, with and without w(x)."""
    source = Cells(252, drawn=1)
    rows = []
    for number in CULTURES:
        culture = source.culture(number, held_out=True)
        found = [parts(one == 1) for one in _answers(("unet-cells", "unet-cells-plain"), culture.image)]
        coloured = [_parts_coloured(one) for one in (culture.instances, *found)]
        rows.append([_grey(culture.image), *coloured])
    _sheet(("cells", "truth", "with the weight map", "without"), rows).save(file, optimize=True)


def digits(file: Path) -> None:
    """Two held-out pages of digits, and what five networks make of them."""
    batch = next(DigitPages(catalogue.entry("fcn8s-digits"), False).held_out())
    colours = np.array(class_colours(Palette.GLASBEY, 11))
    colours[0] = 24
    rows = []
    for image, truth in zip(batch.images[:2], batch.labels[:2], strict=True):
        page = np.rint(image[0].numpy() * 255).astype(np.uint8)
        labels = (np.where(truth == IGNORED, 0, truth), *_answers(ON_PAGES.values(), page))
        rows.append([_grey(page), *(colours[one] for one in labels)])
    _sheet(("page", "truth", *ON_PAGES), rows).save(file, optimize=True)


def _answers(specs: Iterable[str], pixels: np.ndarray) -> list[np.ndarray]:
    """The labels of several networks on one picture (H, W) uint8."""
    with TemporaryDirectory() as folder:
        image = Path(folder) / "image.png"
        Image.fromarray(pixels).save(image)
        return [_labels(Engine(), spec, image) for spec in specs]


def _grey(pixels: np.ndarray) -> np.ndarray:
    return np.repeat(pixels[..., None], 3, 2)


def _parts_coloured(numbers: np.ndarray) -> np.ndarray:
    colours = np.array(class_colours(Palette.GLASBEY, int(numbers.max()) + 1))
    colours[0] = 24
    return np.asarray(colours[numbers])


def _classes() -> tuple[str, ...]:
    return catalogue.entry(NETWORKS["FCN-8s"]).classes


def _colours() -> np.ndarray:
    colours = np.array(class_colours(Palette.OKABE_ITO, len(_classes())))
    colours[0] = 24
    return colours


def _labels(engine: Engine, spec: str, image: Path) -> np.ndarray:
    return finished(engine.predict(SegmentRequest(Setup(spec, str(image))))).labels


def _sheet(
    heads: Sequence[str], rows: Sequence[Sequence[np.ndarray]], legend: Sequence[tuple[str, np.ndarray]] = ()
) -> Image.Image:
    """Panels of equal height in rows, a head above each column, below them classes in their colours."""
    wide = [max(round(SIDE * row[0].shape[1] / row[0].shape[0]) for row in rows)] * len(heads)
    below = LINE + (SIDE + MARGIN) * len(rows)
    size = MARGIN + sum(wide) + MARGIN * len(wide), below + (LINE if legend else MARGIN)
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
    left = MARGIN
    for name, colour in legend:
        draw.rectangle((left, below + 4, left + 12, below + 16), fill=tuple(int(part) for part in colour), outline=INK)
        draw.text((left + 18, below), name, INK, ImageFont.load_default(15))
        left += 18 + round(draw.textlength(name, ImageFont.load_default(15))) + 2 * MARGIN
    return sheet


def _legend(colours: np.ndarray) -> list[tuple[str, np.ndarray]]:
    return list(zip(_classes(), colours, strict=True))[1:]


TAUGHT = {
    "taught-scenes": scenes,
    "taught-photographs": photographs,
    "taught-cells": cells,
    "taught-digits": digits,
}
