"""segviz: how an image classifier becomes a semantic segmentation network, by hand and eye.

Importing this package loads nothing but this file; the rooms below import what they need.
"""

__version__ = "0.1.0"
