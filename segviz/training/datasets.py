"""The data that recipes learn from: digits in the IDX files in which MNIST has always been kept."""

from __future__ import annotations

import gzip
import math
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from segviz.core import assets
from segviz.core.errors import SegvizError

LARGEST_DATA = 1024**3  # bytes; a small gz file may unpack to anything
UNSIGNED_BYTES = 8  # the IDX code of the only kind of number that is read here


@dataclass(frozen=True, eq=False)
class Labelled:
    """Images uint8 (N, H, W), ink 255 on paper 0, and their labels int64 (N,)."""

    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


def mnist(split: str) -> Labelled:
    """The shipped digits of `split`: 'train' (8,000) or 't10k' (2,000, never trained on), 28 x 28 pixels."""
    return _of_folder("mnist_10k", split)


def fashion(split: str) -> Labelled:
    """The shipped clothes of `split`: 'train' (10,000) or 't10k' (2,000, never trained on), 28 x 28 pixels."""
    return _of_folder("fashion_mnist_12k", split)


def _of_folder(name: str, split: str) -> Labelled:
    folder = assets.dataset(name)
    return labelled(folder / f"{split}-images-idx3-ubyte.gz", folder / f"{split}-labels-idx1-ubyte.gz")


def labelled(images_file: Path, labels_file: Path) -> Labelled:
    """Images and labels that belong together. Raises SegvizError where they do not."""
    images, labels = read_idx(images_file), read_idx(labels_file)
    if images.ndim != 3 or labels.ndim != 1:
        raise SegvizError(
            f"{images_file.name} has {images.ndim} dimensions and {labels_file.name} {labels.ndim}; "
            "images need 3 (number, height, width) and labels 1"
        )
    if len(images) != len(labels):
        raise SegvizError(
            f"{images_file.name} has {len(images)} images but {labels_file.name} {len(labels)} labels; "
            "take both from one data set"
        )
    return Labelled(images, labels.astype(np.int64))


def read_idx(path: Path) -> np.ndarray:
    """The array of unsigned bytes in a gzipped IDX file.

    The format: two zero bytes, the kind of number, the count of dimensions, each dimension as four
    bytes with the highest first, then the numbers. Raises SegvizError where the file is missing,
    not gzipped, of another kind, too large, cut short, or longer than it says.
    """
    try:
        with gzip.open(path) as file:
            head = file.read(4)
            if len(head) < 4 or head[:2] != b"\0\0":
                raise SegvizError(f"{path.name}: not an IDX file (it begins with {head.hex() or 'nothing'})")
            if head[2] != UNSIGNED_BYTES:
                raise SegvizError(f"{path.name}: numbers of kind 0x{head[2]:02x}; only unsigned bytes (0x08) are read")
            sizes = np.frombuffer(_exactly(file, 4 * head[3], path), ">u4").tolist()
            count = math.prod(sizes)
            if count > LARGEST_DATA:
                raise SegvizError(f"{path.name}: announces {count} bytes; the limit is {LARGEST_DATA}")
            numbers = np.frombuffer(_exactly(file, count, path), np.uint8).reshape(sizes)
            if file.read(1):
                raise SegvizError(f"{path.name}: longer than the {count} numbers that it announces")
            return numbers
    except FileNotFoundError:
        raise SegvizError(f"{path.name}: there is no such file in {path.parent}") from None
    except (OSError, EOFError, zlib.error) as error:
        raise SegvizError(f"{path.name}: not a whole gzip file ({error}); fetch it again") from error


def _exactly(file: gzip.GzipFile, count: int, path: Path) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise SegvizError(f"{path.name}: cut short, {len(data)} of {count} bytes are there; fetch it again")
    return data
