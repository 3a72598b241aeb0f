"""Makes the masks of the documents' pictures: `python docs/masks.py` writes them beside the session files.

The mask of a page of digits has each digit's class where there is ink, and 255, which does not count, elsewhere.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from segviz.core import assets, export  # noqa: E402 - found through the line above
from segviz.core.metrics import IGNORED  # noqa: E402

PAGE = "digits-256x256"
INK = 128  # grey level from which black paper is ink


def mask_of(page: str) -> np.ndarray:
    """The classes (H, W) of a shipped page of digits, from the boxes that its JSON file lists."""
    with Image.open(assets.sample(f"{page}.png")) as image:
        levels = np.asarray(image.convert("L"))
    out = np.full(levels.shape, IGNORED, np.uint8)
    for digit in json.loads(assets.sample(f"{page}.json").read_text(encoding="utf-8"))["digits"]:
        left, top, right, bottom = digit["box"]
        inside = np.s_[top:bottom, left:right]
        out[inside][levels[inside] >= INK] = digit["label"]
    return out


if __name__ == "__main__":
    export.save_labels(HERE / "pictures" / f"{PAGE}_mask.png", mask_of(PAGE), 256)
