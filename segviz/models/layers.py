"""Layers that torch does not have."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from segviz.core.steps import same_padding


class SameConv2d(nn.Conv2d):
    """Convolution with TensorFlow's SAME padding: (N, C, H, W) to (N, C', ceil(H / stride), ceil(W / stride)).

    Its `padding` attribute is 0: what is padded follows from the input, by `same_padding`.
    """

    def pads(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Zeros at left, right, top and bottom of an input of that size, in the order of `F.pad`."""
        (k_y, k_x), (s_y, s_x), (d_y, d_x) = self.kernel_size, self.stride, self.dilation
        return *same_padding(width, k_x, s_x, d_x), *same_padding(height, k_y, s_y, d_y)

    def forward(self, x: Tensor) -> Tensor:
        left, right, top, bottom = self.pads(x.shape[-2], x.shape[-1])
        if left == right and top == bottom:  # the convolution pads by itself, without copying the map
            padding = (top, left)
        else:
            x, padding = F.pad(x, (left, right, top, bottom)), (0, 0)
        return F.conv2d(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)
