"""Ground truth from files: masks whose pixel values are class indices."""

from __future__ import annotations

import os
import warnings

import numpy as np
import numpy.typing as npt
from PIL import Image

from segviz.core import images
from segviz.core.errors import SegvizError, named

# Pillow's modes whose samples are indices: two levels, palette, grey, and 16 or 32 bits.
_INDEXED = ("1", "P", "L", "I;16", "I;16B", "I")


def open_mask(path: str | os.PathLike[str]) -> npt.NDArray[np.int32]:
    """The class indices (H, W) of a mask: an indexed or grey PNG, as PASCAL VOC and segviz write them.

    Raises SegvizError for what `images.open_picture` refuses, and for pictures in colour, which name
    no classes.
    """
    images.probe(path)  # refuses by header what must not be decoded
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of broken metadata, as in `images`
            with Image.open(path, formats=("PNG", "TIFF", "BMP", "GIF")) as image:
                if image.mode not in _INDEXED:
                    raise SegvizError(
                        f"{named(path)}: not a mask: its pixels are colours ({image.mode}); "
                        "save the class indices as an indexed or grey PNG"
                    )
                return np.asarray(image).astype(np.int32)
    except SegvizError:
        raise
    except Exception as error:  # the edge where files are read: Pillow raises many kinds
        raise SegvizError(
            f"{named(path)}: cannot be read as a mask ({type(error).__name__}); save it as PNG"
        ) from error
