"""Kinds of files that leave the window, as the dialogs call them."""

from __future__ import annotations

PNG = "PNG image (*.png)"
SVG = "SVG drawing (*.svg)"
GIF = "Animated GIF (*.gif)"
CSV = "CSV table (*.csv)"
NPZ = "NumPy arrays (*.npz)"
