"""A job: everything that decides what a run does, as one YAML file.

Paths in the file are relative to it. Nothing here reads an image: that is preflight's work.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from core.errors import BadInput
from core.files import located
from core.options import Options, load_yaml, parse
from core.terms import Orientations, TestTimeViews
from geo_io.legend import Legend, Value

Band = int | str


def _short_form(value: object) -> object:
    """`labels: roads.gpkg` is short for `labels: {path: roads.gpkg}`; likewise a scene's image."""
    return {"path": value} if isinstance(value, (str, Path)) else value


class LabelFile(Options):
    """Class labels of a scene, as raster or vector."""

    path: Path = Field(description="Raster or vector; `labels: FILE` is short for it")
    use: Literal["train", "check"] = Field(
        "train", description="`check`: for scoring only, never seen by a run. Labels of a target must say so"
    )
    attribute: str | None = Field(None, description="Vector: the attribute that holds the class")
    layer: str | None = Field(None, description="Vector: the layer, where the file has several")
    band: int = Field(1, ge=1, description="Raster: the band that holds the class (1 is the first)")
    mapping: dict[Value, str] | None = Field(
        None, description="Label value -> class name, instead of the legend's own values"
    )
    unlabelled: str | None = Field(
        None, description="Vector: the class of land no feature covers (default: unlabelled)"
    )


Labels = Annotated[LabelFile, BeforeValidator(_short_form)]


class SceneFiles(Options):
    """One image, and what is known about it."""

    path: Path = Field(description="The image: anything GDAL opens")
    labels: Labels | None = Field(None, description="Source: what the network learns from")
    area: Path | None = Field(None, description="Polygons of the area of interest (default: all of it)")
    area_wkt: str | None = Field(
        None, description="The same, drawn by hand: a (multi)polygon as WKT, in the image's CRS"
    )
    include: bool = Field(True, description="false: left out, as if it were not listed")
    map: bool = Field(True, description="Target: make a map of it; false adapts to it alone")


class Region(Options):
    """A named domain: scenes of one sensor and season, and the bands to use from them."""

    name: str = Field(min_length=1, description="What reports and the window call it")
    scenes: list[Annotated[SceneFiles, BeforeValidator(_short_form)]] = Field(min_length=1)
    bands: list[Band] | None = Field(
        None, description="Bands by name or number (1 is the first), in the order of use (default: all)"
    )
    band_names: list[str] | None = Field(
        None, description="Names for the file's bands, where the file has none: red, green, blue, nir..."
    )
    nodata: float | None = Field(
        None, description="Pixel value that means no data, beside what the file says"
    )
    invalid_when: Literal["all", "any"] = Field(
        "all", description="A pixel is nodata when all selected bands are, or when any is"
    )


class Sampling(Options):
    """How windows are drawn from the scenes."""

    working_gsd_m: float | None = Field(
        None, gt=0, description="Pixel size in metres that the network sees (default: the coarser region's)"
    )
    crop_px: int = Field(256, ge=32, le=2048, description="Side of a training crop in working pixels")
    batch: int = Field(4, ge=1, le=256, description="Crops of each domain in a step, on each device")
    min_valid: float = Field(0.3, ge=0, le=1, description="Least share of valid pixels in a crop")
    holdout: float = Field(
        0.2, ge=0.05, le=0.5, description="Share of the source kept from training, in blocks"
    )
    scale_jitter: float = Field(
        1.25, ge=1, le=2, description="Crops are drawn up to this factor larger or smaller"
    )
    orientations: Orientations = Field(
        "all",
        description="Crops are turned and mirrored at random: in all eight ways, as fits images without an "
        "up, left to right alone, or not",
    )
    photometric_jitter: float = Field(0.2, ge=0, le=1, description="Strength of per-band gain and bias")
    statistics: Literal["each", "source"] = Field(
        "each",
        description="Pixel values are centred and scaled by each place's own mean and spread, which adapts "
        "to brightness and contrast already, or by the source's in both: papers share one set too",
    )
    max_class_share: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Source crops of which one class covers more are drawn anew (DAFormer: 0.75)",
    )
    rare_classes: bool = Field(True, description="Draw crops that hold rare classes more often")
    rare_class_temperature: float | None = Field(
        None,
        gt=0,
        description="How evenly: 0.01, as published for 19 classes, draws the rarest of a few alone "
        "(default: as low as keeps three quarters of the classes in play)",
    )
    loader_threads: int | None = Field(
        None, ge=1, le=16, description="Threads that read ahead (automatic: 1 on a processor, else up to 4)"
    )


class MultiResolution(Options):
    """HRDA: each crop seen as a whole, downscaled, and in a part at full resolution, around any network."""

    scale: Literal[2, 4] = Field(
        2, description="The whole is seen at 1/scale, a sharp part has 1/scale of the crop's sides"
    )
    attention: Literal["classwise", "single", "fixed"] = Field(
        "classwise",
        description="What weighs the two: learnt for each class, for all of them alike, or one half (fixed)",
    )
    attention_width: int = Field(256, ge=8, le=1024, description="Channels of the attention's layers")
    detail_weight: float = Field(
        0.1, ge=0, lt=1, description="Share of the loss on what the sharp part alone says"
    )
    overlapping: bool = Field(
        True, description="Where all is labelled or mapped, the sharp parts overlap by half"
    )


class Network(Options):
    """The segmentation network."""

    decoder: str = Field("unet", description="deeplabv2, or an smp decoder: unet, fpn, segformer, upernet...")
    encoder: str = Field("tu-pvt_v2_b2", description="smp or timm (tu-...) encoder")
    weights: str | None = Field(
        "imagenet",
        description="Encoder weights: `imagenet` (offline folder, else the hub), a .safetensors file or null",
    )
    encoder_depth: int | None = Field(None, ge=3, le=5, description="Encoder stages in use (default: all)")
    decoder_channels: list[int] | None = Field(
        None, description="Width of each decoder stage (default: smp's)"
    )
    output_stride: Literal[8, 16] | None = Field(None, description="Dilated encoder (CNNs only)")
    aspp_dilations: list[int] = Field([6, 12, 18, 24], description="deeplabv2: the summed branches")
    multi_resolution: MultiResolution | None = Field(
        None, description="See each crop at two resolutions (HRDA): far for the context, near for the detail"
    )

    def without_weights(self) -> "Network":
        """The same, where no weights are to be fetched: others come, or none matter."""
        return self.model_copy(update={"weights": None})


class Schedule(Options):
    """How long, how fast, on what."""

    steps: int = Field(
        2000, ge=1, description="Total optimisation steps of every method, warm start included"
    )
    lr: float = Field(1e-4, gt=0, description="Peak learning rate of the encoder")
    head_lr_factor: float = Field(
        10.0, gt=0, description="Learning rate of decoder and head over the encoder's"
    )
    optimizer: Literal["adamw", "sgd", "nesterov"] = Field(
        "adamw", description="sgd has momentum 0.9, as most of the papers do; nesterov is SGD with Nesterov's"
    )
    weight_decay: float = Field(
        0.01, ge=0, description="Of every weight but those of norms and biases, by the optimiser"
    )
    warmup: float = Field(
        0.1, ge=0, le=0.5, description="Share of the horizon over which the learning rate rises"
    )
    poly_power: float = Field(1.0, ge=0, description="Power of the polynomial decay")
    horizon: int | None = Field(
        None, ge=1, description="Step at which the rate would reach 0 (default: steps)"
    )
    checkpoint_every: int = Field(200, ge=1, description="Steps between checkpoints")
    evaluate_every: int | None = Field(
        None,
        ge=0,
        description="Steps between label-free scores in training; 0: never (default: at most 3 % of time)",
    )
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1, mps")
    precision: Literal["auto", "32", "bf16"] = Field(
        "auto", description="auto: bf16 where it is faster (cards from Ampere on, processors with AMX)"
    )
    threads: int | None = Field(None, ge=1, description="CPU threads (default: torch's)")


class Predict(Options):
    """How the map is made."""

    mode: Literal["blend", "crop"] = Field(
        "blend", description="blend: smooth across tiles. crop: byte-reproducible, independent of extent"
    )
    tile_px: int = Field(512, ge=64, le=4096, description="Side of a tile in working pixels")
    overlap_px: int = Field(128, ge=0, description="Overlap of neighbouring tiles in working pixels")
    batch: int = Field(8, ge=1, le=256, description="Tiles in a forward pass")
    test_time_views: TestTimeViews = Field(
        1,
        description="Test-time augmentation: a tile is seen in so many orientations and the answers are "
        "averaged; takes as many times as long",
    )
    confidence: bool = Field(True, description="Write the confidence raster too")
    probabilities: bool = Field(
        False, description="Write a raster with the probability of each class too, a band a class"
    )
    models: Literal["both", "chosen", "method"] = Field(
        "both", description="Map with both models, the chosen one, or the method's and the chosen one"
    )


class Method(Options):
    """A file of `core/methods/` and its options, checked by that file's own Options."""

    name: str = Field("combined", description="`isthmus presets` and docs/methods say when to take which")
    options: dict[str, Any] = Field(
        default_factory=dict, description="The method's own: `isthmus settings METHOD`"
    )


class Job(Options):
    """The whole job."""

    version: Literal[1] = Field(1, description="Of the format of job files")
    name: str = Field(min_length=1, description="Names the folder of the run")
    seed: int = Field(0, ge=0, lt=2**31, description="Another seed draws other crops and initial weights")
    source: Region
    target: Region
    legend: Legend
    sampling: Sampling = Sampling()
    network: Network = Network()
    schedule: Schedule = Schedule()
    method: Annotated[Method, BeforeValidator(lambda v: {"name": v} if isinstance(v, str) else v)] = Method()
    predict: Predict = Predict()
    expected_shares: dict[str, Annotated[float, Field(ge=0, le=1)]] | None = Field(
        None,
        description="Class -> its share of the target's land, where known (0: none); for the verdict",
    )
    candidate: Path | None = Field(
        None,
        description="A finished run whose source-only model is this run's candidate (default: train one)",
    )
    oracle: bool = Field(
        False, description="The source holds labels of the target place: an upper bound, never an adaptation"
    )

    @field_validator("expected_shares")
    @classmethod
    def _possible(cls, shares: dict[str, float] | None, known: ValidationInfo) -> dict[str, float] | None:
        if shares and "legend" in known.data:
            names = known.data["legend"].names
            for name in shares:
                if name not in names:
                    raise ValueError(f"the legend has no class {name!r}, but {', '.join(names)}")
        if shares and sum(shares.values()) > 1 + 1e-6:
            raise ValueError(f"the shares add up to {sum(shares.values()):.3g}, and 1 is all the land")
        return shares


def load_job(path: Path) -> Job:
    """The job in a YAML file, its paths made absolute. Raises BadInput for anything wrong in it."""
    job = parse(Job, load_yaml(path), path)
    return drop_excluded(resolve_paths(job, path.parent))


def drop_excluded(job: Job) -> Job:
    """`job` without the scenes that are not included. Raises BadInput where a region is left without any."""
    for region in (job.source, job.target):
        if not any(scene.include for scene in region.scenes):
            raise BadInput(f"region {region.name}", "includes no scene", "write `include: true` for one")

    def included(region: Region) -> Region:
        return region.model_copy(update={"scenes": [s for s in region.scenes if s.include]})

    return job.model_copy(update={"source": included(job.source), "target": included(job.target)})


def resolve_paths(job: Job, base: Path) -> Job:
    """`job` with every relative path taken from `base`."""
    return _with_paths(job, lambda path: located(base / path.expanduser()))


def follow_links(job: Job) -> Job:
    """`job` with the files that its links lead to: to tell whether two name the same ones, not to read."""
    return _with_paths(job, Path.resolve)


def _with_paths(job: Job, change: Callable[[Path], Path]) -> Job:
    def absolute(path: Path | None) -> Path | None:
        return None if path is None else change(path)

    def region(r: Region) -> Region:
        scenes = [
            s.model_copy(
                update={
                    "path": absolute(s.path),
                    "area": absolute(s.area),
                    "labels": s.labels and s.labels.model_copy(update={"path": absolute(s.labels.path)}),
                }
            )
            for s in r.scenes
        ]
        return r.model_copy(update={"scenes": scenes})

    network = job.network
    if network.weights and network.weights.endswith(".safetensors"):
        network = network.model_copy(update={"weights": str(absolute(Path(network.weights)))})
    return job.model_copy(
        update={
            "source": region(job.source),
            "target": region(job.target),
            "network": network,
            "candidate": absolute(job.candidate),
        }
    )


def dump_job(job: Job) -> str:
    """The job as YAML that `load_job` reads back to an equal job."""
    return yaml.safe_dump(job.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
