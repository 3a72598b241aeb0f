"""What a person can do about the picture of a network: rows of the table of actions."""

from __future__ import annotations

from segviz.core.choices import NetworkView
from segviz.gui import picturing, settings
from segviz.gui.action import Action, gesture
from segviz.gui.scene import Scene

MENU = "View/Network"


def _has_network(scene: Scene) -> bool:
    return scene.network is not None


def _has_picture(scene: Scene) -> bool:
    return scene.network is not None and scene.state.network_view is not NetworkView.NONE


def _has_edits(scene: Scene) -> bool:
    return bool(scene.state.network_picture.edits)


NETWORK_PICTURE = (
    Action("network-picture", "Network as a picture", MENU, gesture(picturing.show, NetworkView.PICTURE), ("N",),
           "volumes", "All layers as volumes to scale, in the place of the image",
           checked=lambda w: w.desk.session.state.network_view is NetworkView.PICTURE, enabled=_has_network),
    Action("what-if", "What if…", MENU, gesture(picturing.show, NetworkView.WHAT_IF), ("Shift+N",), "adjust",
           "Change kernels, strides, dilations and paddings, and see what would follow",
           checked=lambda w: w.desk.session.state.network_view is NetworkView.WHAT_IF, enabled=_has_network),
    Action("network-image", "Back to the image", MENU,
           lambda w: w.desk.session.update(network_view=NetworkView.NONE), (), "photo",
           "The image in its place again", enabled=_has_picture),
    Action("picture-whole", "All of the network", MENU, gesture(picturing.whole), (), "zoom-out",
           "The picture of the whole network, folded as at first", enabled=_has_picture, separator=True),
    Action("what-if-reset", "Reset all windows", MENU, gesture(picturing.reset_windows), (), "arrow-back-up",
           "All kernels, strides, dilations and paddings as they are in the network", enabled=_has_edits),
    Action("picture-glide", "Glide from place to place", MENU, lambda w: settings.set_glides(not settings.glides()),
           tip="Whether the picture of a network moves to what is looked at, or jumps",
           checked=lambda w: settings.glides()),
)  # fmt: skip
