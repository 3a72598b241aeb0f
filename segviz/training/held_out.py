"""What recipes hold out, as a folder of images with masks: any network can be scored on what they are tested on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from segviz.core import masks
from segviz.core.choices import DataName
from segviz.core.metrics import IGNORED
from segviz.core.pairs import IMAGES, INSTANCES, MASKS
from segviz.core.references import load

# What writes the data of `pairs.DRAWN`, as 'module:callable', called with an empty folder.
WRITERS: dict[DataName, str] = {
    DataName.CELLS: "segviz.training.cells:write_held_out",
    DataName.DIGIT_PAGES: "segviz.training.digit_pages:write_held_out",
}


def write(name: DataName, folder: Path) -> None:
    """Write the held-out data `name`, the same every time, into `folder`, which is made."""
    load(WRITERS[name])(folder)


def save(
    folder: Path,
    classes: tuple[str, ...],
    name: str,
    image: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.integer],
    instances: npt.NDArray[np.integer] | None = None,
) -> None:
    """Add one image (H, W), its labels, 255 where nothing counts, and its instances, 0 for none, to a folder."""
    planes = {IMAGES: image, MASKS: labels.astype(np.uint8)}
    if instances is not None:
        planes[INSTANCES] = instances.astype(np.uint16)
    for part, plane in planes.items():
        (folder / part).mkdir(parents=True, exist_ok=True)
        Image.fromarray(plane).save(folder / part / f"{name}.png")
    (folder / masks.NAMES_FILE).write_text("\n".join(classes) + "\n", encoding="utf-8")


def bordered(plane: npt.NDArray[np.integer], border: int, beyond: int = IGNORED) -> npt.NDArray[np.integer]:
    """`plane` (H, W) with `beyond` in its outermost `border` pixels, for which a valid network has no answer."""
    inside = slice(border, min(plane.shape) - border)
    out = np.full_like(plane, beyond)
    out[inside, inside] = plane[inside, inside]
    return out
