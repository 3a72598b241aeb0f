"""The formats of images and networks, and the endings of their files: light, since dialogs need them before any."""

from __future__ import annotations

FORMATS: dict[str, tuple[str, ...]] = {
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg"),
    "BMP": (".bmp",),
    "WebP": (".webp",),
    "TIFF": (".tif", ".tiff"),
    "GIF": (".gif",),
    "PPM": (".ppm", ".pgm", ".pbm"),
}
READABLE = ", ".join(FORMATS)
IMAGE_SUFFIXES = tuple(suffix for suffixes in FORMATS.values() for suffix in suffixes)

# Files that networks come in: weights alone, and programs, which run and so want trust first.
WEIGHT_SUFFIXES = (".safetensors", ".pth", ".pt", ".ckpt", ".bin", ".tar")
PROGRAM_SUFFIXES = (".pt2", ".onnx", ".py")
MODEL_SUFFIXES = WEIGHT_SUFFIXES + PROGRAM_SUFFIXES
LARGEST_LABEL = 65_535  # of a mask: 16 bits
