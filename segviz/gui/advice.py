"""What a person may want to know before the picture makes sense, as a pure function of the scene.

Unlike a message it tells of nothing that went wrong, and is gone with what it is about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from segviz.core import assets
from segviz.gui import words
from segviz.gui.names import title_of
from segviz.gui.scene import Message, Scene

if TYPE_CHECKING:
    from segviz.core.images import Picture

SPARSE = 8  # every so many pixels are looked at for colour


def advice(scene: Scene) -> Message | None:
    """What the scene's network needs that its picture may not have; None where all seems well.

    `offer` of the message is the id of an action that helps.
    """
    state, picture = scene.state, scene.picture
    if picture is None or not state.model or picture.path != state.image:
        return None
    entry = scene.entry
    if entry is None or not entry.sees or state.image == str(assets.sample(entry.sample)):
        return None
    title = title_of(state.model)
    if entry.preprocessing.channels == "L":
        if not is_coloured(picture):
            return None
        return Message(f"{title} knows {entry.sees}, and nothing of photographs.", offer="own-sample")
    if state.scale is not None:
        return None
    size = words.size(picture.width, picture.height)
    text = f"{title} finds {entry.sees}; it sees this one as {size}: lower the scale until faces are that small."
    return Message(text, offer="scale")


def is_coloured(picture: Picture) -> bool:
    """Whether a picture has colours, by a sample of its pixels."""
    if picture.kind.startswith("grey"):
        return False
    seen = picture.pixels[::SPARSE, ::SPARSE]
    return bool((seen[..., 0] != seen[..., 2]).any())
