"""What stands behind things in scenes: photographs in which nothing of a class is seen.

Those that segviz ships are cut in two: the left parts are learned with, the right parts are what held-out scenes
are made of. Desktop backgrounds of three Debian packages are learned with besides.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from segviz.core import assets, recipe_data
from segviz.core.choices import DataName
from segviz.core.errors import SegvizError
from segviz.core.images import open_picture, resize

# Those of animals, fruits, flowers and people are for looking at, not for learning.
SHIPPED = (
    *("castle-maintenon.jpg", "china.jpg", "cincinnati-bridge.jpg", "coffee.png", "rocket.jpg"),
    *("coins.png", "ihc.png", "retina.jpg"),
)
LEFT = 0.65  # of each shipped photograph is learned with; what is right of it is tested on
PACKAGES = {  # of Debian: where their pictures are, and which of them are photographs of nothing of a class
    "mate-backgrounds": (
        "/usr/share/backgrounds/mate/nature",
        *("Aqua.jpg", "Blinds.jpg", "Dune.jpg", "GreenMeadow.jpg", "RainDrops.jpg", "Storm.jpg", "Wood.jpg"),
    ),
    "lomiri-wallpapers-16.04": (
        "/usr/share/backgrounds",
        *("aitzgorri_by_Aitzol_Berasategi.jpg", "analogpattern_by_Peter_Nerlich.jpg", "Bridge_by_Sander_Klootwijk.jpg"),
        *("greentock_by_Peter_Nerlich.jpg", "life_by_Aitzol_Berasategi.jpg", "Picture_1A_by_freespace.jpg"),
        *("picosdeeuropa_by_Aitzol_Berasategi.jpg", "sunset_by_Aitzol_Berasategi.jpg", "Wine_by_Jakkub_Mede.jpg"),
    ),
    "plasma-workspace-wallpapers": (
        "/usr/share/wallpapers",
        *(
            f"{name}/contents/images/2560x1600.jpg"
            for name in ("BytheWater", "ColdRipple", "ColorfulCups", "DarkestHour", "EveningGlow", "FallenLeaf")
        ),
        *("Grey/contents/images/2560x1600.jpg", "Path/contents/images/2560x1600.jpg"),
        "summer_1am/contents/images/2560x1600.jpg",
    ),
}
SENTENCE = f"Debian's packages of photographs (sudo apt-get install {' '.join(recipe_data.PACKAGES[DataName.STAMPS])})"
SHORTER = 640  # pixels of the shorter side of a desktop background that are kept

Pixels = npt.NDArray[np.uint8]


def shipped(split: str) -> Sequence[Pixels]:
    """The parts of shipped photographs that are for a `split`, 'learn' or 'test': each (H, W, 3)."""
    return [_part(open_picture(assets.sample(name)).pixels, split) for name in SHIPPED]


def installed() -> Sequence[Pixels]:
    """The desktop backgrounds: each (H, W, 3). Raises SegvizError, which names the packages, where one is missing."""
    return [_opened(Path(folder) / name) for folder, *names in PACKAGES.values() for name in names]


def _part(photograph: Pixels, split: str) -> Pixels:
    at = round(photograph.shape[1] * LEFT)
    return photograph[:, :at] if split == "learn" else photograph[:, at:]


def _opened(path: Path) -> Pixels:
    if not path.is_file():
        raise SegvizError(f"{path} is not here, a photograph that stands behind things: install {SENTENCE}")
    pixels = open_picture(path).pixels
    share = min(1.0, SHORTER / min(pixels.shape[:2]))
    return resize(pixels, round(pixels.shape[0] * share), round(pixels.shape[1] * share))
