"""LeNet-5 in the form of the lecture (T01): 61,706 parameters.

LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998,
section II.B; with plain average pooling, full connection of S2 to C3, and a dense output.
"""

from __future__ import annotations

from torch import Tensor, nn


class LeNet5(nn.Module):
    """Ten digits: (N, 1, 32, 32), ink 1 on paper 0, to logits (N, 10).

    Without padding, so that a fully convolutional LeNet-5 equals the sliding window to rounding.
    """

    def __init__(self) -> None:
        super().__init__()
        self.c1 = nn.Conv2d(1, 6, 5)
        self.s2 = nn.AvgPool2d(2)
        self.c3 = nn.Conv2d(6, 16, 5)
        self.s4 = nn.AvgPool2d(2)
        self.flatten = nn.Flatten()
        self.c5 = nn.Linear(400, 120)
        self.f6 = nn.Linear(120, 84)
        self.output = nn.Linear(84, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.s2(self.c1(x).tanh())  # (N, 6, 14, 14)
        x = self.s4(self.c3(x).tanh())  # (N, 16, 5, 5)
        x = self.c5(self.flatten(x)).tanh()  # (N, 120)
        logits: Tensor = self.output(self.f6(x).tanh())  # (N, 10)
        return logits
