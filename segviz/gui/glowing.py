"""What glows in the pinned unit's field: gestures, and what is said of it."""

from __future__ import annotations

from segviz.core.choices import BackRule, Glow
from segviz.core.effective import SHARES, EffectiveField
from segviz.gui import words
from segviz.gui.gestures import Changes
from segviz.gui.scene import Kind, Scene

WAITING = {
    Glow.EFFECTIVE: "Computing the effective field…",
    Glow.DECONVNET: "Going back to the pixels…",
    Glow.GUIDED: "Going back to the pixels…",
}
FIGURES_HINT = (
    "The energy is the gradient's magnitude, summed over red, green and blue (Luo et al. 2016); the box counts as far "
    "as it lies inside the image, and of it the least part that holds so much"
)


def toggle(scene: Scene, glow: Glow) -> Changes:
    """Another kind of glow; the one that is there goes."""
    return {"glow": Glow.NONE if scene.state.glow is glow else glow}


def average(scene: Scene, count: int) -> Changes:
    """The effective field averaged over so many images; that is what is shown then."""
    return {"glow_images": count, "glow": Glow.EFFECTIVE}


def images_title(count: int) -> str:
    return "This image alone" if count == 1 else f"Average over {count} images"


def images_hint(count: int) -> str:
    if count == 1:
        return "The effective field on this image"
    return f"The mean effective field on this image and {count - 1} others of its folder, cut to its size"


def figures(found: EffectiveField) -> str:
    """How much of the field matters: '95 % of the energy lies in 12 % of the field inside the image'."""
    if found.spread is None:
        return ""
    where = "image" if found.whole else "field inside the image"
    mean = f", mean of {found.images} images" if found.images > 1 else ""
    return f"{words.share(SHARES[-1])} of the energy lies in {words.share(found.spread)} of the {where}{mean}"


def axes(found: EffectiveField) -> str:
    """The ellipses in image pixels: '50 %: 86 × 84 px, 95 %: 164 × 162 px'."""
    sizes = []
    for ellipse in found.ellipses:
        longer, shorter = ellipse.on_image(found.frame).half_axes
        sizes.append(f"{words.share(ellipse.share)}: {words.size(round(2 * longer), round(2 * shorter))} px")
    return ", ".join(sizes)


def remark(found: EffectiveField) -> str:
    """What the picture does not say by itself; '' where it does."""
    whole = f"Through the whole image: {found.whole}" if found.whole else ""
    nothing = found.spread is None or found.request.rule is not BackRule.GRADIENT
    parts = [part for part in (whole, *(found.notes[-1:] if nothing else ())) if part]
    return ". ".join(part[0].upper() + part[1:] for part in parts)


def waiting(scene: Scene) -> str:
    """What is said where there is nothing to be shown yet; '' where nothing is wanted."""
    state = scene.state
    if state.glow is Glow.NONE or scene.shown_effective is not None:
        return ""
    if scene.job(Kind.EFFECTIVE) is None:
        return "" if state.unit is not None else "Click in the image: the glow lies in the field of the pinned unit."
    return WAITING[state.glow]
