"""The axes of a plot in the theme's colours and type."""

from __future__ import annotations

from typing import Any

from segviz.gui import theme


def paint_axes(plot: Any, tokens: theme.Tokens) -> None:
    """Background, lines and numbers of a pyqtgraph `PlotWidget`, anew whenever the theme has changed."""
    import pyqtgraph  # after the first paint

    plot.setBackground(tokens.panel)
    for name in ("bottom", "left"):
        axis = plot.getAxis(name)
        axis.setPen(pyqtgraph.mkPen(tokens.line))
        axis.setTextPen(pyqtgraph.mkPen(tokens.dim))
        axis.setTickFont(theme.caption())
        axis.label.setFont(theme.caption())
