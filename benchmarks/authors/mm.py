"""Stubs for what of mmcv and mmsegmentation their heads are built with, as its documentation describes it."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from benchmarks.authors.clones import Stubs


class ConvModule(nn.Module):
    """Convolution, batch norm where asked for, activation where asked for; a bias where there is no norm."""

    def __init__(
        self,
        inward: int = 0,
        outward: int = 0,
        kernel_size: int = 1,
        *,
        norm_cfg: Any = None,
        act_cfg: Any = "relu",
        conv_cfg: Any = None,
        in_channels: int = 0,
        out_channels: int = 0,
        **conv: Any,
    ) -> None:
        super().__init__()
        assert conv_cfg is None
        inward, outward = inward or in_channels, outward or out_channels
        self.conv = nn.Conv2d(inward, outward, kernel_size, bias=norm_cfg is None, **conv)
        self.bn = nn.BatchNorm2d(outward) if norm_cfg else nn.Identity()
        self.activate = nn.ReLU() if act_cfg else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.activate(self.bn(self.conv(x)))
        return y


class DepthwiseSeparableConvModule(nn.Sequential):
    """Each channel on its own, then all of them pixel by pixel; norm and activation after both."""

    def __init__(self, inward: int, outward: int, kernel_size: int, **options: Any) -> None:
        both = {name: options.pop(name) for name in ("norm_cfg", "act_cfg")}
        super().__init__(
            ConvModule(inward, inward, kernel_size, groups=inward, **both, **options),
            ConvModule(inward, outward, 1, **both),
        )


class Registry:
    """A registry that forgets."""

    def register_module(self) -> Callable[[type], type]:
        return lambda registered: registered


class Module(nn.Module):
    def __init__(self, init_cfg: Any = None) -> None:
        super().__init__()
        self.init_cfg = init_cfg


def unchanged(**_: Any) -> Callable[[Any], Any]:
    """A decorator that does nothing."""
    return lambda function: function


def nothing(*_: Any, **__: Any) -> None:
    return None


HEADS: Stubs = {
    "mmcv": {},
    "mmcv.cnn": {
        "ConvModule": ConvModule,
        "DepthwiseSeparableConvModule": DepthwiseSeparableConvModule,
    },
    "mmcv.runner": {"BaseModule": Module, "auto_fp16": unchanged, "force_fp32": unchanged},
    "mmseg.core": {"build_pixel_sampler": nothing, "add_prefix": nothing},
    "mmseg.models.builder": {"HEADS": Registry(), "build_loss": nothing, "LOSSES": Registry()},
    "mmseg.models.losses": {"accuracy": nothing},
    "mmseg.models.decode_heads.isa_head": {"ISALayer": None},
    "mmseg.models.segmentors": {},
    "mmseg.models.segmentors.hrda_encoder_decoder": {"crop": None},
}
"""Enough to import a decode head."""
LOSSES: Stubs = {"mmcv": {}, "mmseg.models.builder": {"LOSSES": Registry()}}
"""Enough to import a loss."""
