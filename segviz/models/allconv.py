"""All-CNN-C for CIFAR-10: nothing but convolutions, where a stride of 2 does what pooling would do.

Springenberg et al., "Striving for Simplicity: The All Convolutional Net", 2015, tables 1 and 2. Without
the strides it is the network that lecture T21 warns of: many layers, and a unit that sees next to nothing.
"""

from __future__ import annotations

from torch import Tensor, nn

from segviz.core.errors import UsageError

STRIDES = ("2", "1")


class AllConv(nn.Module):
    """10 classes: (N, 3, H, W), 32 x 32 in the paper, to logits (N, 10).

    `stride` of the third and the sixth convolution is 2, or 1 for maps that never shrink. The maps
    before `pool` are then (N, 10, H / 4 - 2, W / 4 - 2) or (N, 10, H - 2, W - 2). Raises UsageError
    for another stride.
    """

    def __init__(self, stride: str = "2", classes: int = 10) -> None:
        super().__init__()
        if stride not in STRIDES:
            raise UsageError(f"the stride is '{stride}'; it is {' or '.join(STRIDES)}")
        step = int(stride)
        self.conv1 = nn.Conv2d(3, 96, 3, padding=1)
        self.conv2 = nn.Conv2d(96, 96, 3, padding=1)
        self.conv3 = nn.Conv2d(96, 96, 3, step, padding=1)
        self.conv4 = nn.Conv2d(96, 192, 3, padding=1)
        self.conv5 = nn.Conv2d(192, 192, 3, padding=1)
        self.conv6 = nn.Conv2d(192, 192, 3, step, padding=1)
        self.conv7 = nn.Conv2d(192, 192, 3)  # of 8 x 8 units the paper averages 6 x 6
        self.conv8 = nn.Conv2d(192, 192, 1)
        self.conv9 = nn.Conv2d(192, classes, 1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv3(self.conv2(self.conv1(x).relu()).relu()).relu()  # (N, 96, H / 2, W / 2)
        x = self.conv6(self.conv5(self.conv4(x).relu()).relu()).relu()  # (N, 192, H / 4, W / 4)
        x = self.conv9(self.conv8(self.conv7(x).relu()).relu()).relu()  # (N, classes, H / 4 - 2, W / 4 - 2)
        logits: Tensor = self.flatten(self.pool(x))  # (N, classes)
        return logits
