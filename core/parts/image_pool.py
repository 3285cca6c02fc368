"""A history of generated images, so that a discriminator does not forget (Shrivastava et al. 2017)."""

from typing import Any

import numpy as np
import torch
from torch import Tensor


class ImagePool:
    """Up to `size` images of the past; 0 keeps none. Half precision: a checkpoint holds them all."""

    def __init__(self, size: int, device: torch.device) -> None:
        self.size, self.device = size, device
        self.images: list[Tensor] = []

    def swap(self, images: Tensor, generator: np.random.Generator) -> Tensor:
        """(b, c, h, w) -> same, detached: each image itself, or in half of the cases an older one.

        The pool fills first; then an image that is swapped takes the place of the one given out.
        """
        return torch.stack([self._one(image, generator) for image in images.detach()])

    def _one(self, image: Tensor, generator: np.random.Generator) -> Tensor:
        if len(self.images) < self.size:
            self.images.append(image.half())
            return image
        if not self.size or generator.random() < 0.5:
            return image
        place = int(generator.integers(self.size))
        old, self.images[place] = self.images[place], image.half()
        return old.to(image.dtype)

    def state_dict(self) -> dict[str, Any]:
        return {"images": list(self.images)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.images = [image.to(self.device) for image in state["images"]]
