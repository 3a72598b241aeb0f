"""Small networks such as other people bring, with random weights from a fixed seed, and their answers."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Classifier(nn.Module):
    """A classifier of images of 3x32x32 whose dense layer spans a map."""

    def __init__(self, num_classes: int = 5) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 3),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 6, 3),
            nn.ReLU(),
            nn.Dropout(),
        )
        self.fc = nn.Linear(6 * 13 * 13, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(torch.flatten(self.features(x), 1))


class Segmenter(nn.Module):
    """Maps as large as the image, of any even size: a skip, a gate, an up-convolution and a resize."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Conv2d(3, 8, 3, padding=1)
        self.down = nn.Conv2d(8, 8, 3, stride=2, padding=1)
        self.gate = nn.Conv2d(8, 8, 1)
        self.up = nn.ConvTranspose2d(8, 8, 2, stride=2)
        self.score = nn.Conv2d(16, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        wide = F.relu(self.enter(x))
        low = F.hardswish(self.down(wide))
        low = low * torch.sigmoid(self.gate(F.adaptive_avg_pool2d(low, 1)))
        score = self.score(torch.cat([wide, self.up(low)], 1))
        return F.interpolate(F.avg_pool2d(score, 2), size=x.shape[-2:], mode="bilinear", align_corners=False)


class Pyramid(nn.Module):
    """Maps as large as the image, as DeepLab makes them: borders of its own, and a pooled map spread beside the others.

    The pooled one is first, so that a join which asks nothing takes its lattice.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2)
        self.deep = nn.Conv2d(8, 8, 3, stride=2, padding=1)
        self.pooled = nn.Conv2d(8, 8, 1)
        self.own = nn.Conv2d(8, 8, 1)
        self.join = nn.Conv2d(16, 8, 1)
        self.score = nn.Conv2d(8, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        low = F.relu(self.deep(F.relu(self.stem(F.pad(x, (1, 1, 1, 1))))))
        pooled = F.relu(self.pooled(low.mean((2, 3), keepdim=True))).expand(-1, -1, *low.shape[-2:])
        joined = F.relu(self.join(torch.cat([pooled, F.relu(self.own(low))], 1)))
        return F.interpolate(self.score(joined), x.shape[-2:], mode="bilinear", align_corners=True)


def made(network: nn.Module, seed: int = 0) -> nn.Module:
    """`network` in eval mode with weights, and statistics of batch normalisation, that are no defaults."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in (*network.parameters(), *network.buffers()):
            if tensor.is_floating_point():
                tensor.copy_(torch.rand(tensor.shape, generator=generator) * 0.4 + (0.1 if tensor.dim() == 1 else -0.2))
    return network.eval()


def image(*shape: int) -> Tensor:
    return torch.rand((1, *shape), generator=torch.Generator().manual_seed(7)) * 2 - 1


def answer(network: nn.Module, given: Tensor) -> Tensor:
    with torch.inference_mode():
        return network(given)
