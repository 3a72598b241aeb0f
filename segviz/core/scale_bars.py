"""A scale below a picture that is saved: which value each colour stands for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Bytes = npt.NDArray[np.uint8]

GROUND, INK = (35, 38, 43), (230, 232, 235)
WIDE = 1024  # pixels of a picture above which all that follows grows with it
TYPE, HIGH = 13, 32  # height of the letters and of the strip
BAR, SHORTEST = 10, 72  # height of the bar, and its least length
HIGHER = 0.36  # of the strip: middle of a bar that has a text below it


def with_scale(pixels: Bytes, colours: Bytes, low: str, high: str, centre: str = "") -> Bytes:
    """`pixels` (H, W, 3) on top of a strip with the bar of `colours` (256, 3) between the texts `low` and `high`.

    `centre` names the value in the middle of the bar, with a tick below it: where colours change sides is said there.
    The picture keeps its pixels; a narrow one gets a margin at its right, so that the texts are whole.
    """
    height, width = pixels.shape[:2]
    grown = max(1.0, width / WIDE)
    font = ImageFont.load_default(round(TYPE * grown))
    strip, gap = round(HIGH * grown), round(8 * grown)
    left, right = (round(font.getlength(text)) + 2 * gap for text in (low, high))
    whole = max(width, left + right + round(SHORTEST * grown))
    sheet = Image.new("RGB", (whole, height + strip), GROUND)
    sheet.paste(Image.fromarray(pixels), (0, 0))
    draw, middle = ImageDraw.Draw(sheet), height + strip * (HIGHER if centre else 0.5)
    draw.text((gap, middle), low, INK, font, anchor="lm")
    draw.text((whole - gap, middle), high, INK, font, anchor="rm")
    bar = Image.fromarray(np.ascontiguousarray(colours[None])).resize((whole - left - right, round(BAR * grown)))
    sheet.paste(bar, (left, round(middle - bar.height / 2)))
    if centre:
        at, below, tick = left + bar.width / 2, round(middle + bar.height / 2), round(3 * grown)
        draw.line(((at, below), (at, below + tick)), INK, max(1, round(grown)))
        draw.text((at, height + strip - 1), centre, INK, font, anchor="mb")
    return np.asarray(sheet)
