import pytest
import torch
from torch import nn

from core.errors import BadInput
from core.job import Network
from core.networks.decoders import DECODERS
from core.networks.deeplabv2 import AtrousSum
from core.networks.encoders import adapt_pretrained, mixing, seeded
from core.networks.segmentor import Segmentor, build_segmentor

TINY = "tu-mobilenetv3_small_050"
BANDS = {
    1: ["grey"],
    3: ["red", "green", "blue"],
    4: ["blue", "green", "red", "nir"],
    8: [f"b{i}" for i in range(8)],
}


def tiny(
    decoder: str = "unet", encoder: str = TINY, bands: int = 3, seed: int = 0, **options: object
) -> Segmentor:
    network = Network.model_validate({"decoder": decoder, "encoder": encoder, "weights": None, **options})
    return build_segmentor(network, BANDS[bands], classes=5, seed=seed)[0]


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


def refusal(**options: object) -> str:
    with pytest.raises(BadInput) as caught:
        tiny(**options)  # type: ignore[arg-type]
    return str(caught.value)


@pytest.mark.parametrize("bands", BANDS)
@pytest.mark.parametrize(
    ("decoder", "encoder"),
    [("unet", "tu-pvt_v2_b0"), ("fpn", TINY), ("segformer", "tu-pvt_v2_b0"), ("deeplabv2", TINY)],
)
def test_logits_have_the_size_of_the_image(decoder: str, encoder: str, bands: int) -> None:
    segmentor = tiny(decoder, encoder, bands)
    out = segmentor(noise(2, bands, 70, 101))
    assert out.logits.shape == (2, 5, 70, 101)
    assert out.logits.dtype == torch.float32
    assert out.features.shape[1] == segmentor.feature_channels
    assert (segmentor.bands, segmentor.classes) == (tuple(BANDS[bands]), 5)


@pytest.mark.parametrize("decoder", sorted(set(DECODERS) - {"dpt"}))
def test_every_decoder_takes_the_smallest_image(decoder: str) -> None:
    out = tiny(decoder)(noise(2, 3, 32, 33))
    assert out.logits.shape == (2, 5, 32, 33)
    assert len(out.heads) == (decoder == "deeplabv2")


def test_dpt_takes_a_plain_vit_at_any_size() -> None:
    segmentor = tiny("dpt", "tu-vit_tiny_patch16_224", bands=4, decoder_channels=[16, 16, 16, 16])
    assert segmentor(noise(2, 4, 33, 70)).logits.shape == (2, 5, 33, 70)


def test_continuing_the_image_leaves_what_is_seen() -> None:
    segmentor = tiny().eval()
    image = noise(1, 3, 64, 70)
    reflected = torch.cat([image, image[..., 43:69].flip(-1)], dim=-1)
    torch.testing.assert_close(segmentor(image).logits, segmentor(reflected).logits[..., :70])


@pytest.mark.parametrize("decoder", ["unet", "deeplabv2"])
def test_logits_are_float32_in_any_precision(decoder: str) -> None:
    segmentor, image = tiny(decoder), noise(2, 3, 64, 64)
    assert segmentor(image).features.dtype == torch.float32
    segmentor.precision = torch.bfloat16
    out = segmentor(image)
    assert out.features.dtype == torch.bfloat16
    assert {logits.dtype for logits in (out.logits, *out.heads)} == {torch.float32}


def test_channels_last_changes_nothing() -> None:
    segmentor, image = tiny(bands=4).eval(), noise(2, 4, 64, 64)
    expected = segmentor(image).logits
    segmentor.to(memory_format=torch.channels_last)
    seen = segmentor(image.contiguous(memory_format=torch.channels_last)).logits
    torch.testing.assert_close(seen, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    "options", [{}, {"decoder": "deeplabv2"}, {"encoder_depth": 3}, {"decoder": "pspnet"}]
)
def test_parameter_groups_are_disjoint_and_complete(options: dict[str, object]) -> None:
    segmentor = tiny(**options)  # type: ignore[arg-type]
    encoder, head = segmentor.encoder_parameters(), segmentor.head_parameters()
    out = segmentor(noise(2, 3, 64, 64))
    (out.logits.sum() + sum(head.sum() for head in out.heads)).backward()
    trained = [p for p in segmentor.parameters() if p.grad is not None]
    assert encoder
    assert head
    assert len(encoder) + len(head) == len(trained)
    assert {*encoder, *head} == set(trained)


def test_stages_out_of_use_are_not_trained() -> None:
    shallow, deep = tiny(encoder_depth=3), tiny()
    assert len(shallow.encoder_parameters()) < len(deep.encoder_parameters())
    assert shallow(noise(1, 3, 64, 64)).features.shape == (1, shallow.feature_channels, 8, 8)


def test_deeplabv2_has_output_stride_8_and_an_auxiliary_head() -> None:
    segmentor = tiny("deeplabv2", "resnet18")
    assert isinstance(encoder := segmentor.body.encoder, nn.Module)
    assert encoder.layer3[0].conv2.dilation == (2, 2)
    assert encoder.layer4[0].conv2.dilation == (4, 4)
    out = segmentor(noise(1, 3, 72, 96))
    assert out.features.shape == (1, 512, 9, 12)
    (head,) = out.heads
    assert head.shape == (1, 5, 72, 96)


def test_deeplabv2_branches_follow_the_dilations() -> None:
    full, published = tiny("deeplabv2"), tiny("deeplabv2", aspp_dilations=[6, 12])
    assert len(full.body.classifier.branches) == 4
    assert len(published.body.classifier.branches) == 2
    sizes = [sum(p.numel() for p in one.head_parameters()) for one in (full, published)]
    assert sizes[0] == 2 * sizes[1]


def test_atrous_sum_reaches_24_cells_on_the_dilated_grid() -> None:
    pyramid = AtrousSum(1, 1, (6, 12, 18, 24))
    for branch in pyramid.branches:
        nn.init.ones_(branch.weight)
    impulse = torch.zeros(1, 1, 61, 61)
    impulse[..., 30, 30] = 1
    response = pyramid(impulse)[0, 0]
    rings = {(y, x) for d in (6, 12, 18, 24) for y in (-d, 0, d) for x in (-d, 0, d)}
    assert {(int(y) - 30, int(x) - 30) for y, x in response.nonzero()} == rings
    assert response[30, 30] == 4


def test_atrous_sum_begins_small() -> None:
    with seeded(0):
        weight = AtrousSum(512, 19, (6,)).branches[0].weight
    assert weight.std().item() == pytest.approx(0.01, rel=0.02)


def test_frozen_affine_batch_norm_still_follows_the_data() -> None:
    segmentor = tiny("deeplabv2")
    norms = [m for m in segmentor.body.encoder.modules() if isinstance(m, nn.BatchNorm2d)]
    grouped = {*segmentor.encoder_parameters(), *segmentor.head_parameters()}
    assert norms
    assert not any(p in grouped or p.requires_grad for norm in norms for p in norm.parameters())
    before = norms[0].running_mean.clone()
    segmentor.train()(noise(1, 3, 64, 64) + 3)
    assert not torch.equal(norms[0].running_mean, before)


def test_weights_depend_on_the_seed_alone() -> None:
    state = torch.random.get_rng_state()
    first = tiny("deeplabv2", bands=4).state_dict()
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.manual_seed(99)
    again, other = tiny("deeplabv2", bands=4).state_dict(), tiny("deeplabv2", bands=4, seed=1).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    drawn = [
        name for name in first if name.endswith("conv_stem.weight") or name.endswith("branches.0.weight")
    ]
    assert len(drawn) == 3
    assert not any(torch.equal(first[name], other[name]) for name in drawn)


def test_bands_are_known_by_name() -> None:
    third = torch.tensor([1 / 3, 1 / 3, 1 / 3])
    red, green, blue = torch.eye(3)
    assert torch.equal(mixing(["Blue", "g", "RED"]), torch.stack([blue, green, red]))
    assert torch.equal(mixing(["one", "two", "three"]), torch.eye(3))
    assert torch.allclose(mixing(["nir", "red", "green"]), torch.stack([third, red, green]))
    assert torch.allclose(
        mixing(["red", "green", "blue", "nir"]), torch.stack([red, green, blue, third]) * 3 / 4
    )
    assert torch.allclose(mixing(["grey"]), torch.ones(1, 3))


def test_adapted_convolution_keeps_its_sum() -> None:
    conv = nn.Conv2d(3, 4, 3)
    whole = conv.weight.sum(1)
    adapt_pretrained(conv, ["nir", "blue", "green", "red", "swir"])
    assert conv.in_channels == 5
    torch.testing.assert_close(conv.weight.sum(1), whole)


@pytest.mark.parametrize("encoder", [TINY, "tu-pvt_v2_b0"])
def test_order_of_the_bands_changes_nothing(encoder: str) -> None:
    order = [2, 0, 3, 1]
    network = Network.model_validate({"encoder": encoder, "weights": None})
    image = noise(1, 4, 64, 64)
    straight, _ = build_segmentor(network, BANDS[4], 5)
    shuffled, _ = build_segmentor(network, [BANDS[4][i] for i in order], 5)
    expected = straight.eval()(image).logits
    torch.testing.assert_close(shuffled.eval()(image[:, order]).logits, expected)
    assert not torch.allclose(shuffled(image).logits, expected)


def test_new_filters_keep_the_variance_of_the_old() -> None:
    stems = [tiny(encoder="resnet18", bands=n).body.encoder.conv1 for n in (3, 8)]
    variances = [float(stem.weight.detach().var()) * stem.in_channels for stem in stems]
    assert variances[0] == pytest.approx(variances[1], rel=0.1)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"decoder": "unett"}, "network.decoder: 'unett' is unknown; did you mean 'unet'?"),
        ({"decoder": "UNet"}, "network.decoder: 'UNet' is unknown; did you mean 'unet'?"),
        ({"encoder": "resnet19"}, "network.encoder: 'resnet19' is unknown; did you mean 'resnet18'?"),
        (
            {"encoder": "tu-pvt_v2b0"},
            "network.encoder: 'tu-pvt_v2b0' is unknown; did you mean 'tu-pvt_v2_b0'?",
        ),
        ({"encoder": "tu-resnet18.a1_in1"}, "did you mean 'tu-resnet18.a1_in1k'?"),
        ({"decoder": "deeplabv3", "encoder": "mit_b0"}, "network.encoder: mit_b0 cannot be dilated"),
        ({"decoder": "deeplabv2", "encoder": "mit_b0"}, "network.encoder: mit_b0 cannot be dilated"),
        ({"decoder": "pan", "encoder": "tu-pvt_v2_b0"}, "network.encoder: tu-pvt_v2_b0 cannot be dilated"),
        (
            {"decoder": "deeplabv3plus", "encoder": "densenet121"},
            "network.encoder: densenet121 cannot be dilated",
        ),
        (
            {"encoder": "mit_b0", "output_stride": 8},
            "network.output_stride: unet cannot have output stride 8",
        ),
        ({"decoder": "pan", "output_stride": 8}, "network.output_stride: pan cannot have output stride 8"),
        ({"decoder": "deeplabv2", "output_stride": 16}, "take decoder pan, deeplabv3, deeplabv3plus"),
        ({"decoder": "linknet", "encoder": "mit_b0"}, "network.decoder: linknet does not work on mit_b0"),
        ({"decoder": "dpt"}, "network.decoder: dpt does not work on tu-mobilenetv3_small_050"),
        ({"encoder": "tu-swin_tiny_patch4_window7_224"}, "network.decoder: unet does not work on tu-swin"),
        ({"encoder": "tu-tresnet_m"}, "network.encoder: tu-tresnet_m does not begin with a convolution"),
        ({"decoder": "fpn", "encoder_depth": 4}, "network.encoder_depth: fpn needs all five"),
        ({"decoder": "deeplabv2", "encoder_depth": 4}, "network.encoder_depth: deeplabv2 needs all five"),
        ({"decoder": "unet", "aspp_dilations": [6]}, "network.aspp_dilations: unet has none"),
        ({"decoder": "deeplabv2", "aspp_dilations": []}, "network.aspp_dilations: [] are no dilations"),
        ({"decoder_channels": [8, 8]}, "network.decoder_channels: unet takes 5 positive widths, not [8, 8]"),
        ({"decoder": "linknet", "decoder_channels": [8]}, "network.decoder_channels: linknet takes 0"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(options: dict[str, object], expected: str) -> None:
    assert expected in refusal(**options)


@pytest.mark.parametrize(
    ("decoder", "widths"),
    [
        ("unet", [32, 16, 8, 8]),
        ("manet", [32, 16, 8, 8]),
        ("segformer", [16]),
        ("deeplabv3", [16]),
        ("pspnet", [16]),
    ],
)
def test_decoder_widths_are_passed_on(decoder: str, widths: list[int]) -> None:
    narrow = tiny(decoder, encoder_depth=4, decoder_channels=widths)
    wide = tiny(decoder, encoder_depth=4)
    assert narrow(noise(2, 3, 64, 64)).logits.shape == (2, 5, 64, 64)
    sizes = [sum(p.numel() for p in one.head_parameters()) for one in (narrow, wide)]
    assert sizes[0] < sizes[1]


def test_output_stride_is_passed_on() -> None:
    shapes = [tiny("deeplabv3plus", output_stride=s)(noise(2, 3, 64, 64)).features.shape[-1] for s in (8, 16)]
    assert shapes == [8, 4]


def test_one_value_for_batch_norm_is_bad_input() -> None:
    segmentor = tiny("deeplabv3")
    with pytest.raises(BadInput, match=r"^sampling.batch: is too small"):
        segmentor(noise(1, 3, 64, 64))
    assert segmentor.eval()(noise(1, 3, 64, 64)).logits.shape == (1, 5, 64, 64)


def test_images_below_32_px_are_refused() -> None:
    with pytest.raises(ValueError, match="31 x 64"):
        tiny()(noise(1, 3, 31, 64))


@pytest.mark.parametrize(
    ("decoder", "encoder"), [("unet", TINY), ("deeplabv2", TINY), ("dpt", "tu-vit_tiny_patch16_224")]
)
def test_stages_and_features_are_those_of_a_whole_pass(decoder: str, encoder: str) -> None:
    segmentor = tiny(decoder, encoder).eval()
    image = noise(2, 3, 64, 70)
    whole, stages = segmentor(image), segmentor.stages(image)
    for seen, stage in zip(whole.stages, stages, strict=True):
        torch.testing.assert_close(seen, stage)
    torch.testing.assert_close(whole.features, segmentor.features(image))
