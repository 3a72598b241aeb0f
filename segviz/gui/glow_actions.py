"""What a person can do about the glow in a unit's field: rows of the table of actions."""

from __future__ import annotations

from segviz.core.choices import Glow
from segviz.core.effective import COUNTS
from segviz.gui import glowing
from segviz.gui.action import Action, gesture

MENU = "View/Glow in the field"
KEYS = {Glow.EFFECTIVE: "G", Glow.DECONVNET: "Shift+G", Glow.GUIDED: "Alt+G"}


def _glow(glow: Glow) -> Action:
    """One kind of glow; its key takes it back, too."""
    return Action(
        f"glow-{glow.value}",
        glow.title,
        MENU,
        gesture(glowing.toggle, glow),
        (KEYS[glow],) if glow in KEYS else (),
        tip=f"In the pinned unit's field: {glow.hint}",
        checked=lambda window: window.desk.session.state.glow is glow,
    )


def _average(count: int) -> Action:
    """The effective field of one image, or averaged."""
    return Action(
        f"glow-images-{count}",
        glowing.images_title(count),
        MENU,
        gesture(glowing.average, count),
        tip=glowing.images_hint(count),
        checked=lambda window: window.desk.session.state.glow_images == count,
        separator=count == COUNTS[0],
    )


GLOW = (*(_glow(glow) for glow in Glow), *(_average(count) for count in COUNTS))
