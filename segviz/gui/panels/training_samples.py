"""What the network answers on samples that stay the same: arrays to small pictures and words. Loads numpy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QColor

from segviz.core import palettes
from segviz.core.catalogue import background
from segviz.core.choices import ColourMap, Palette
from segviz.core.learning import TrainingSamples
from segviz.core.metrics import IGNORED
from segviz.gui.panels.pixels import to_image
from segviz.gui.widgets.colour_bar import ColourBar
from segviz.gui.widgets.plane import rgb
from segviz.gui.widgets.sample_sheet import Sample, SampleSheet

Bytes = npt.NDArray[np.uint8]
DIMMED = 0.5  # brightness of the image below labels and weights
ALPHA = 200  # of labels, 0 to 255
RIGHT, WRONG = "✓", "✗"
HEATS = {  # field of TrainingSamples: heading, what its scale measures
    "weights": ("Weight", "weight in the loss"),
    "gradient": ("Gradient", "gradient of the loss"),
}


def show(sheet: SampleSheet, samples: TrainingSamples) -> None:
    """Show `samples` on `sheet`: labels of pixels as pictures, those of whole images as captions."""
    if samples.truth.ndim == 1:
        _show_images(sheet, samples)
    else:
        _show_pixels(sheet, samples)


def _show_images(sheet: SampleSheet, samples: TrainingSamples) -> None:
    names = samples.classes
    shown = []
    for image, truth, label in zip(samples.images, samples.truth.tolist(), samples.labels.tolist(), strict=True):
        right = truth == label
        caption = f"{RIGHT} {names[label]}" if right else f"{WRONG} {names[label]} ({names[truth]})"
        shown.append(Sample((to_image(image),), caption, "ok" if right else "bad"))
    sheet.set_samples(shown, ("",), describe=lambda sample, picture, fx, fy: shown[sample].caption)


def _show_pixels(sheet: SampleSheet, samples: TrainingSamples) -> None:
    count = len(samples.classes)
    hollow = background(samples.classes)
    colours = palettes.class_colours(Palette.AUTO, count)
    table = np.zeros((256, 4), np.uint8)  # what nothing is known of stays transparent
    table[:count] = palettes.label_table(count, Palette.AUTO, background=hollow, alpha=ALPHA)
    heats = _heats(samples)
    shown = []
    for at, image in enumerate(samples.images):
        middle = centre(image, samples.truth.shape[1:])
        grey = np.repeat(middle.astype(np.float32).mean(axis=2, keepdims=True) * DIMMED, 3, axis=2)
        pictures = [to_image(np.ascontiguousarray(middle))]
        pictures += [to_image(_over(grey, table[labels[at]])) for labels in (samples.truth, samples.labels)]
        pictures += [to_image(paint(at)) for _, _, paint in heats]
        shown.append(Sample(tuple(pictures)))
    legend = [(QColor(*colours[index].tolist()), name) for index, name in enumerate(samples.classes) if index != hollow]
    headings = ("Image", "Truth", "Answer", *(name for name, _, _ in heats))
    sheet.set_samples(shown, headings, legend, _describer(samples, [values for _, values, _ in heats]))


Heat = tuple[str, npt.NDArray[np.float32], Callable[[int], Bytes]]


def _heats(samples: TrainingSamples) -> list[Heat]:
    """What is known of each pixel's part in the loss: heading, values, painter. One scale for all samples."""
    heats: list[Heat] = []
    for name, (heading, _) in HEATS.items():
        values = getattr(samples, name)
        if values is not None:
            top = max(float(values.max()), 1e-12)
            heats.append((heading, values, lambda at, v=values, t=top: heat(v[at], t)))  # type: ignore[misc]
    return heats


def show_scale(bar: ColourBar, samples: TrainingSamples, name: str) -> None:
    """Show on `bar` what the colours of `weights` or `gradient` mean."""
    bar.set_title(HEATS[name][1])
    bar.set_colours(rgb(palettes.colour_map(ColourMap.MAGMA)))
    bar.set_range("0", f"{float(getattr(samples, name).max()):.3g}")


def heat(values: npt.NDArray[np.float32], top: float) -> Bytes:
    """Values (h, w) from 0 to `top` as colours (h, w, 3)."""
    levels = np.rint(np.clip(values / top, 0, 1) * 255).astype(np.uint8)
    return np.ascontiguousarray(palettes.colour_map(ColourMap.MAGMA)[levels])


def centre(image: Bytes, size: tuple[int, ...]) -> Bytes:
    """The middle of an image (H, W, 3) of `size` (h, w)."""
    top, left = ((whole - part) // 2 for whole, part in zip(image.shape, size, strict=False))
    return image[top : top + size[0], left : left + size[1]]


def _over(grey: npt.NDArray[np.float32], painted: Bytes) -> Bytes:
    alpha = painted[..., 3:].astype(np.float32) / 255
    return np.ascontiguousarray(np.rint(grey * (1 - alpha) + painted[..., :3] * alpha).astype(np.uint8))


def _describer(
    samples: TrainingSamples, heats: list[npt.NDArray[np.float32]]
) -> Callable[[int, int, float, float], str]:
    def name(index: int) -> str:
        return samples.classes[index] if index < len(samples.classes) else "does not count"

    def describe(sample: int, picture: int, fx: float, fy: float) -> str:
        height, width = samples.truth.shape[1:]
        row, column = min(height - 1, int(fy * height)), min(width - 1, int(fx * width))
        truth, label = (int(maps[sample, row, column]) for maps in (samples.truth, samples.labels))
        if picture >= 3:
            return f"{float(heats[picture - 3][sample, row, column]):.4g} at {column}, {row}"
        return f"{column}, {row}: answer {name(label)}, truth {name(truth) if truth != IGNORED else 'not known'}"

    return describe
