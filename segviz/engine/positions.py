"""Maps whose rows and columns are there, but nobody knows any more where they lie in the image.

Attention over positions in a row, a reshape that mixes them: what comes back as maps is given to
convolutions again. It is computed whole then, since a part of it belongs to no part of the image.
"""

from __future__ import annotations

import torch
from torch import Tensor

from segviz.engine.uses import Pair, Use

aten = torch.ops.aten

ON_MAPS = {  # operations that take what they are given for maps (N, C, H, W)
    aten.conv2d,
    aten.conv_transpose2d,
    aten.max_pool2d,
    aten.avg_pool2d,
    aten.adaptive_avg_pool2d,
    aten.adaptive_max_pool2d,
    aten.pad,
    aten.upsample_nearest2d,
    aten._upsample_nearest_exact2d,
    aten.upsample_bilinear2d,
    aten.upsample_bicubic2d,
    aten.pixel_shuffle,
    aten.pixel_unshuffle,
}


def takes_all(use: Use) -> bool:
    """Whether it is attention whose every query weighs all positions of the map that was laid out in rows.

    Attention in windows has fewer keys than that, and of a product of matrices alone nobody can tell.
    """
    if use.name != "scaled_dot_product_attention" or use.args["is_causal"] or use.given["attn_mask"] is not None:
        return False
    return int(use.given["key"].shape[-2]) >= max(value.positions for value in use.inputs) > 1


CHOOSE = {"sort", "argsort", "topk", "kthvalue", "torchvision::deform_conv2d"}  # by what the maps hold
CHOSEN = {"grid_sampler", "gather", "index", "index_select", "take", "take_along_dim"}  # where another tensor says


def by_content(use: Use) -> bool:
    """Whether the image decides which positions are taken: deformable convolutions, sampling where a map points to."""
    return use.name in CHOOSE or (use.name in CHOSEN and len(use.inputs) > 1)


def has_lost_them(use: Use) -> bool:
    """Whether the first input has rows and columns, and no axes that say so."""
    tensor = use.main.tensor
    return use.main.axes is None and not use.main.stands_for and tensor.dim() == 4 and tensor.shape[2:].numel() > 1


def is_spread(tensor: Tensor, output: Tensor, axes: Pair) -> bool:
    """Whether `tensor` has more than one unit along the axes of `output`: it is no gate, and goes in whole."""
    sides = [axis - output.dim() for axis in axes if axis - output.dim() >= -tensor.dim()]
    return any(tensor.shape[side] > 1 for side in sides)
