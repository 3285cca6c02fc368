"""Bad input, drawn: each case spoils a sound job and says what the command line must answer."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import geopandas
import numpy as np
import rasterio
import shapely
import yaml
from affine import Affine
from small_job import BANDS, CLASSES, SIDE, draw, image, rectangle, stripes, truth, write_job, write_vector
from worlds import NORTH, UTM, WEST, north_up, write_raster

Words = list[object]
Spoil = Callable[[Path], Words]

LABELS = "source.scenes.0.labels"
DONE, FAILED, BAD = 0, 1, 2


class Case(NamedTuple):
    """`spoil` damages the job in a folder and returns the command; `said` must all be in the answer.

    In the one line on stderr, where the exit code is not 0; else on stdout, with nothing on stderr.
    """

    spoil: Spoil
    code: int
    said: tuple[str, ...]


CASES: dict[str, Case] = {}


def case(code: int, *said: str) -> Callable[[Spoil], Spoil]:
    def add(spoil: Spoil) -> Spoil:
        CASES[spoil.__name__.replace("_", " ")] = Case(spoil, code, said)
        return spoil

    return add


def settings(name: str, changed: dict[str, Any], code: int, *said: str) -> None:
    """A case that is only a wrong setting."""
    CASES[name] = Case(lambda folder: inspecting(folder, changed), code, said)


def inspecting(folder: Path, changed: dict[str, Any] | None = None) -> Words:
    return ["inspect", write_job(folder, changed)]


def target(folder: Path, values: np.ndarray | None = None, **profile: Any) -> Words:
    """Another target image, without check labels."""
    profile = {"names": BANDS, "transform": north_up(1.0, WEST + 5000), **profile}
    write_raster(folder / "target.tif", image(2) if values is None else values, **profile)
    return inspecting(folder, {"target.scenes.0.labels": None})


def vector(folder: Path, name: str = "labels.gpkg", **more: Any) -> Words:
    return inspecting(folder, {LABELS: {"path": name, "attribute": "class", **more}})


def frame(geometries: list[Any] | None = None, names: list[Any] | None = None) -> geopandas.GeoDataFrame:
    """The stripes, with other geometries or class names."""
    shapes, classes = zip(*stripes(), strict=True)
    drawn = geometries or [shapely.geometry.shape(s) for s in shapes]
    return geopandas.GeoDataFrame({"class": names or classes}, geometry=drawn, crs=UTM)


# Images that are none, or hold nothing.


@case(BAD, "source.tif", "copy or export it again")
def truncated_tiff(folder: Path) -> Words:
    content = (folder / "source.tif").read_bytes()
    (folder / "source.tif").write_bytes(content[: len(content) // 2])
    return inspecting(folder)


@case(BAD, "source.tif", "copy or export it again")
def image_of_no_bytes(folder: Path) -> Words:
    (folder / "source.tif").write_bytes(b"")
    return inspecting(folder)


@case(BAD, "source.tif", "copy or export it again")
def text_renamed_to_tif(folder: Path) -> Words:
    (folder / "source.tif").write_text("Dear colleague,\nplease find the image attached.\n")
    return inspecting(folder)


@case(BAD, "source.h5", "export")
def hdf_junk(folder: Path) -> Words:
    (folder / "source.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + np.random.default_rng(0).bytes(4096))
    return inspecting(folder, {"source.scenes.0.path": "source.h5"})


@case(BAD, "folder.tif", "; ")
def directory_as_image(folder: Path) -> Words:
    (folder / "folder.tif").mkdir()
    return inspecting(folder, {"source.scenes.0.path": "folder.tif"})


settings("missing image", {"target.scenes.0.path": "tagret.tif"}, BAD, "tagret.tif", "check the path")


@case(BAD, "target.tif", "complex numbers", "amplitude")
def complex_pixels(folder: Path) -> Words:
    return target(folder, image().astype(np.complex64))


@case(BAD, "target.tif", "no valid pixel", "check nodata")
def all_nodata(folder: Path) -> Words:
    return target(folder, np.zeros((3, SIDE, SIDE), np.uint8), nodata=0)


@case(BAD, "target.tif", "no valid pixel", "check nodata")
def nothing_but_nan(folder: Path) -> Words:
    return target(folder, np.full((3, SIDE, SIDE), np.nan, np.float32))


@case(BAD, "abroad", "too small", "lower sampling.crop_px")
def one_pixel_raster(folder: Path) -> Words:
    return target(folder, np.full((3, 1, 1), 7, np.uint8))


@case(BAD, "target.tif", "swapped", "longitude")
def swapped_axes(folder: Path) -> Words:
    return target(folder, crs="EPSG:4326", transform=Affine(1e-5, 0, 48, 0, -1e-5, 120))


@case(BAD, "target.tif", "has the bands index", "name the bands alike")
def palette_image_as_imagery(folder: Path) -> Words:
    return target(folder, truth(), names=("index",), photometric="palette")


# Images that are odd, and must work.


@case(DONE, "warning: ", "target.tif: has no coordinate reference system")
def no_crs(folder: Path) -> Words:
    return target(folder, crs=None)


@case(DONE, "warning: ", "scale and offset 0.1 and 0", "that is not applied", "to one unit")
def scenes_of_one_place_in_two_units(folder: Path) -> Words:
    transform = north_up(1.0, WEST + 9000)
    write_raster(folder / "more.tif", image(3).astype(np.uint16) * 10, names=BANDS, transform=transform)
    with rasterio.open(folder / "more.tif", "r+") as file:
        file.scales = (0.1,) * 3
    return inspecting(folder, {"target.scenes": [{"path": "target.tif"}, {"path": "more.tif"}]})


@case(DONE, "the job can run")
def rivers_of_nan(folder: Path) -> Words:
    values = image().astype(np.float32)
    values[:, 40:50] = np.nan
    values[1, 60:70] = np.nan
    return target(folder, values)


@case(DONE, "the job can run")
def infinities(folder: Path) -> Words:
    values = image().astype(np.float32)
    values[:, 30, ::3], values[2, 31, ::3] = np.inf, -np.inf
    return target(folder, values)


@case(DONE, "warning: ", "holds only 1.0 crops")
def one_tile_raster(folder: Path) -> Words:
    return target(folder, image()[:, :32, :32])


@case(DONE, "warning: ", "target.tif: is used by its indexes into a colour table")
def palette_images_on_both_sides(folder: Path) -> Words:
    write_raster(folder / "source.tif", image(1)[0], names=("index",), photometric="palette")
    return target(folder, image(2)[0], names=("index",), photometric="palette")


@case(DONE, "the job can run", "68.8% valid")
def nodata_as_rounded_text(folder: Path) -> Words:
    values = image(2).astype(np.float32)
    values[:, :, :40] = np.finfo(np.float32).min
    return target(folder, values, nodata=-3.40282e38)


@case(DONE, "the job can run")
def rotated(folder: Path) -> Words:
    return target(
        folder, transform=Affine.translation(WEST, NORTH) @ Affine.rotation(30) @ Affine.scale(1, -1)
    )


@case(DONE, "the job can run")
def south_up(folder: Path) -> Words:
    return target(folder, transform=Affine(1, 0, WEST, 0, 1, NORTH))


@case(DONE, "the job can run")
def one_bit_labels(folder: Path) -> Words:
    write_raster(folder / "labels.tif", (truth() > 0).astype(np.uint8), nbits=1)
    return inspecting(folder, {"legend.classes": CLASSES[:2]})


@case(DONE, "the job can run", "größe ñ/ein Ort/job")
def spaces_and_letters_of_any_script(folder: Path) -> Words:
    elsewhere = folder / "größe ñ" / "ein Ort"
    draw(elsewhere)
    (elsewhere / "labels.gpkg").rename(elsewhere / "étiquettes 标签.gpkg")
    (elsewhere / "source.tif").rename(elsewhere / "job источник.tif")
    labels = {"path": "étiquettes 标签.gpkg", "attribute": "class"}
    return inspecting(elsewhere, {"source.scenes.0.path": "job источник.tif", LABELS: labels})


# Bands.

settings("band name wrong", {"source.bands": ["red", "gren"]}, BAD, "band 'gren'", "did you mean 'green'?")
settings("band out of range", {"source.bands": [1, 4]}, BAD, "band 4", "its bands are 1 to 3")
settings("band twice", {"source.bands": [1, 1]}, BAD, "source.tif", "list each band once")
settings("bands differ", {"target.bands": [1]}, BAD, "target.tif", "choose as many `bands`")
settings("too few band names", {"target.band_names": ["r", "g"]}, BAD, "target.tif", "name every band")


# The job file.

settings("unknown key", {"sampling.crop": 64}, BAD, "sampling.crop", "did you mean 'crop_px'?")
settings("unknown top key", {"sorce": 1}, BAD, "sorce", "did you mean 'source'?")
settings(
    "negative working gsd", {"sampling.working_gsd_m": -1}, BAD, "sampling.working_gsd_m", "greater than 0"
)
settings(
    "crop bigger than the scene", {"sampling.crop_px": 1024}, BAD, "crops of 1024", "lower sampling.crop_px"
)
settings("text for a number", {"seed": "many"}, BAD, "seed", "valid integer")
settings("source is target", {"target.scenes.0.path": "source.tif"}, BAD, "source.tif", "`oracle: true`")


@case(BAD, "target.tif", "`oracle: true`")
def source_is_target_by_another_name(folder: Path) -> Words:
    (folder / "target.tif").unlink()
    (folder / "target.tif").symlink_to(folder / "source.tif")
    return inspecting(folder, {"target.scenes.0.labels": None})


@case(BAD, "job.yaml", "line 3", "mend that line")
def broken_yaml(folder: Path) -> Words:
    (folder / "job.yaml").write_text("name: small\nsource:\n  - {path: ]\nname: again\n")
    return ["inspect", folder / "job.yaml"]


@case(BAD, "job.yaml", "holds no mapping", "start from")
def list_for_a_job(folder: Path) -> Words:
    (folder / "job.yaml").write_text("- source\n- target\n")
    return ["inspect", folder / "job.yaml"]


@case(BAD, "source.tif", "is not a text file", "name a job's YAML file")
def image_for_a_job(folder: Path) -> Words:
    return ["inspect", folder / "source.tif"]


@case(BAD, "job: is a folder", "name the YAML file in it")
def folder_for_a_job(folder: Path) -> Words:
    (folder / "job").mkdir()
    return ["inspect", folder / "job"]


settings(
    "options of another method",
    {"method": {"name": "advent", "options": {"target_means": True}}},
    BAD, "method.options of advent, target_means", "unknown key",
)  # fmt: skip
settings(
    "options of a method without any",
    {"method": {"name": "source_only", "options": {"jitter": 1}}},
    BAD, "jitter", "leave it out",
)  # fmt: skip
settings("encoder typo", {"network.encoder": "resnet81"}, BAD, "network.encoder", "did you mean 'resnet18'?")
settings("decoder typo", {"network.decoder": "unett"}, BAD, "network.decoder", "did you mean 'unet'?")
settings("missing weights", {"network.weights": "no.safetensors"}, BAD, "no.safetensors", "does not exist")


@case(BAD, "jobs.yaml", "does not exist", "check the path")
def missing_job(folder: Path) -> Words:
    return ["run", folder / "jobs.yaml"]


@case(BAD, "'--legend' requires an argument", "isthmus --help")
def option_without_its_argument(folder: Path) -> Words:
    return ["evaluate", folder / "labels.tif", "--legend"]


# The legend.


def legend(*classes: dict[str, Any]) -> dict[str, Any]:
    return {"legend.classes": [{"color": "#000000", **each} for each in classes]}


settings(
    "overlapping legend values",
    legend({"name": "a", "values": [0, 1]}, {"name": "b", "values": [1, 2]}),
    BAD, "value 1 belongs to both 'a' and 'b'", "legend",
)  # fmt: skip
settings(
    "two classes that differ by case", legend({"name": "Water"}, {"name": "water"}),
    BAD, "value 'water' belongs to both 'Water' and 'water'",
)  # fmt: skip
settings(
    "two classes of one name", legend({"name": "a"}, {"name": "a"}), BAD, "two classes have the same name"
)
settings(
    "legend typo in a mapping",
    {LABELS: {"path": "labels.tif", "mapping": {0: "water", 1: "forrest", 2: "field"}}},
    BAD, "class 'forrest'", "did you mean 'forest'?",
)  # fmt: skip
settings("colour typo", {"legend.classes.0.color": "blue"}, BAD, "legend.classes.0.color", "#rrggbb")
settings(
    "class without pixels",
    {"legend.classes": [*CLASSES, {"name": "snow", "color": "#ffffff"}]},
    BAD, "class 'snow'", "take it out of the legend",
)  # fmt: skip
settings(
    "unmapped values", {"legend.classes": CLASSES[:2]}, BAD, "labels.tif", "(2)", "add them to a class's"
)


# Labels.

settings("label from another place", {f"{LABELS}.path": "check.tif"}, BAD, "check.tif", "of the same place")
settings(
    "target label to train on", {"target.scenes.0.labels": "check.tif"}, BAD, "check.tif", "`use: check`"
)
settings("label band out of range", {f"{LABELS}.band": 2}, BAD, "labels.tif, band 2", "it has 1")
settings("missing labels", {f"{LABELS}.path": "lables.gpkg"}, BAD, "lables.gpkg", "check the path")


@case(BAD, "labels.tif", "no georeference", "save the labels as GeoTIFF")
def labels_without_georeference(folder: Path) -> Words:
    write_raster(folder / "labels.tif", truth(), crs=None, transform=Affine.identity())
    return inspecting(folder)


@case(BAD, "labels.gpkg", "no features", "export the labels again")
def empty_geopackage(folder: Path) -> Words:
    write_vector(folder / "labels.gpkg", [(rectangle(0, 0, 1, 1), "water")])
    frame().iloc[:0].to_file(folder / "labels.gpkg", layer="labels")
    return vector(folder)


@case(BAD, "labels.gpkg", "no layer 'landcover'", "labels")
def wrong_layer(folder: Path) -> Words:
    return vector(folder, layer="landcover")


@case(BAD, "attribute 'klass'", "did you mean 'class'?")
def missing_attribute(folder: Path) -> Words:
    return vector(folder, attribute="klass")


@case(BAD, "labels.gpkg", "(empty)", "add them to a class's")
def attribute_of_nulls(folder: Path) -> Words:
    frame(names=[None, None, None]).astype({"class": "object"}).to_file(folder / "labels.gpkg")
    return vector(folder)


@case(DONE, "the job can run", "labels.gpkg")
def labels_that_are_a_link_into_a_store(folder: Path) -> Words:
    (folder / "store").mkdir()
    (folder / "labels.gpkg").rename(folder / "store" / "9f3a")
    (folder / "labels.gpkg").symlink_to(folder / "store" / "9f3a")
    return vector(folder)


@case(DONE, "the job can run")
def invalid_geometries(folder: Path) -> Words:
    bow_tie = shapely.Polygon(
        [(WEST, NORTH), (WEST + 40, NORTH - 128), (WEST + 40, NORTH), (WEST, NORTH - 128)]
    )
    shapes = [shapely.geometry.shape(s) for s, _ in stripes()]
    frame([bow_tie, *shapes[1:]]).to_file(folder / "labels.gpkg")
    return vector(folder)


@case(DONE, "the job can run")
def geometry_collections(folder: Path) -> Words:
    shapes = [shapely.geometry.shape(s) for s, _ in stripes()]
    mixed = [shapely.GeometryCollection([s, shapely.Point(WEST, NORTH)]) for s in shapes]
    frame(mixed).to_file(folder / "labels.gpkg")
    return vector(folder)


@case(DONE, "the job can run")
def three_dimensions(folder: Path) -> Words:
    frame([shapely.force_3d(shapely.geometry.shape(s), 12) for s, _ in stripes()]).to_file(
        folder / "labels.gpkg"
    )
    return vector(folder)


@case(BAD, "labels.shp", "export it as GeoPackage")
def shapefile_without_shx(folder: Path) -> Words:
    frame().to_file(folder / "labels.shp")
    (folder / "labels.shx").unlink()
    return vector(folder, "labels.shp")


@case(DONE, "warning: ", "labels.shp: has no coordinate reference system")
def shapefile_without_prj(folder: Path) -> Words:
    frame().to_file(folder / "labels.shp")
    (folder / "labels.prj").unlink()
    return vector(folder, "labels.shp")


@case(BAD, "labels.geojson", "export it as GeoPackage")
def geojson_syntax_error(folder: Path) -> Words:
    (folder / "labels.geojson").write_text(
        '{"type": "FeatureCollection", "features": [{"type": "Feature",,}]}'
    )
    return vector(folder, "labels.geojson")


@case(BAD, "class 'water'", "too small")
def points_for_labels(folder: Path) -> Words:
    far = [shapely.Point(WEST - 500, NORTH), *(shapely.geometry.shape(s) for s, _ in stripes()[1:])]
    frame(far).to_file(folder / "labels.gpkg")
    return vector(folder)


@case(BAD, "source.tif", "area of interest", "check nodata, mask band and area")
def area_of_elsewhere(folder: Path) -> Words:
    write_vector(folder / "area.gpkg", [(rectangle(9000, 0, 9100, 100), "inside")])
    return inspecting(folder, {"source.scenes.0.area": "area.gpkg"})


@case(BAD, "!old/labels.gpkg", "rename the file or the folder")
def labels_under_a_path_with_an_exclamation_mark(folder: Path) -> Words:
    (folder / "!old").mkdir()
    (folder / "labels.gpkg").rename(folder / "!old/labels.gpkg")
    return vector(folder, "!old/labels.gpkg")


@case(BAD, "labels;2.gpkg", "rename the file or the folder")
def labels_under_a_path_with_a_semicolon(folder: Path) -> Words:
    (folder / "labels.gpkg").rename(folder / "labels;2.gpkg")
    return vector(folder, "labels;2.gpkg")


settings(
    "path too long", {"target.scenes.0.path": "x" * 300 + ".tif"}, BAD, "File name too long", "check the"
)
settings("label path too long", {LABELS: "x" * 300 + ".gpkg"}, BAD, "File name too long", "check the path")


@case(BAD, "labels.gml", "as GeoPackage where it holds polygons")
def labels_as_gml(folder: Path) -> Words:
    (folder / "labels.gml").write_text("<gml/>")
    return inspecting(folder, {LABELS: "labels.gml"})


def geojson(folder: Path, closed: bool = True, **properties: Any) -> None:
    """The stripes with more properties, in degrees, or with rings that lack their last corner."""
    shapes = [shapely.geometry.mapping(shape) for shape in frame().to_crs(4326).geometry]
    rings = [list(shape["coordinates"][0])[: None if closed else -1] for shape in shapes]
    features = [
        {
            "type": "Feature",
            "properties": {"class": name, **properties},
            "geometry": {**shape, "coordinates": [ring]},
        }
        for (_, name), shape, ring in zip(stripes(), shapes, rings, strict=True)
    ]
    (folder / "labels.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))


@case(DONE, "the job can run")
def lists_beside_the_attribute(folder: Path) -> Words:
    geojson(folder, tags=["a", "b"])
    return inspecting(folder, {LABELS: "labels.geojson"})


@case(BAD, "labels.geojson, attribute 'tags'", "holds lists", "choose another")
def lists_for_classes(folder: Path) -> Words:
    geojson(folder, tags=["a", "b"])
    return vector(folder, "labels.geojson", attribute="tags")


@case(BAD, "labels.geojson", "closed", "export it as GeoPackage")
def rings_that_are_not_closed(folder: Path) -> Words:
    geojson(folder, closed=False)
    return vector(folder, "labels.geojson")


@case(BAD, "labels.gpkg", "(empty)", "add them to a class's")
def nothing_is_no_class_called_none(folder: Path) -> Words:
    frame(names=["water", "forest", None]).to_file(folder / "labels.gpkg")
    names = ("water", "forest", "none")
    classes = [{**each, "name": name} for each, name in zip(CLASSES, names, strict=True)]
    return inspecting(
        folder, {LABELS: {"path": "labels.gpkg", "attribute": "class"}, "legend.classes": classes}
    )


SURVEY = 'LOCAL_CS["Survey grid",UNIT["metre",1]]'


@case(BAD, "labels.tif", "'Survey grid'", "give both the same CRS")
def labels_of_the_earth_on_an_image_of_none(folder: Path) -> Words:
    write_raster(folder / "source.tif", image(1), names=BANDS, crs=SURVEY)
    return inspecting(folder)


@case(BAD, "labels.gpkg", "'Survey grid'", "give both the same CRS")
def polygons_of_the_earth_on_an_image_of_none(folder: Path) -> Words:
    write_raster(folder / "source.tif", image(1), names=BANDS, crs=SURVEY)
    return vector(folder)


@case(BAD, "area.gpkg", "'Survey grid'", "give both the same CRS")
def area_of_the_earth_on_an_image_of_none(folder: Path) -> Words:
    write_raster(folder / "source.tif", image(1), names=BANDS, crs=SURVEY)
    write_vector(folder / "area.gpkg", [(rectangle(0, 0, 100, 100), "inside")])
    return inspecting(folder, {"source.scenes.0.area": "area.gpkg"})


# Scoring.


@case(BAD, "map.tif", "class id 7", "name the job")
def map_of_another_legend(folder: Path) -> Words:
    write_raster(folder / "map.tif", truth() + np.uint8(7), nodata=255)
    return scoring(folder)


@case(BAD, "map.tif", "shares no pixel", "of the same place")
def map_of_elsewhere(folder: Path) -> Words:
    write_raster(folder / "map.tif", truth(), transform=north_up(1, WEST + 9000))
    return scoring(folder)


@case(DONE, "mean IoU", "100.0")
def map_of_wide_whole_numbers(folder: Path) -> Words:
    write_raster(folder / "map.tif", truth().astype(np.int32), nodata=-9999)
    return scoring(folder)


@case(BAD, "map.tif", "holds 0.5", "one band of whole numbers")
def map_of_fractions(folder: Path) -> Words:
    write_raster(folder / "map.tif", truth().astype(np.float32) / 2)
    return scoring(folder)


@case(BAD, "map.tif", "3 bands", "one band of whole numbers")
def image_for_a_map(folder: Path) -> Words:
    write_raster(folder / "map.tif", image())
    return scoring(folder)


def scoring(folder: Path) -> Words:
    return ["evaluate", folder / "map.tif", folder / "labels.tif", "--legend", folder / "job.yaml"]


# Running and mapping.


def running(folder: Path, changed: dict[str, Any]) -> Words:
    return ["run", write_job(folder, changed)]


@case(BAD, "labels.tif", "add them to a class's")
def run_of_a_job_that_inspect_refuses(folder: Path) -> Words:
    return running(folder, {"legend.classes": CLASSES[:2]})


@case(BAD, "method 'adventure'", "did you mean 'advent'?")
def unknown_method(folder: Path) -> Words:
    return running(folder, {"method": "adventure"})


@case(BAD, "weigth", "did you mean 'weight'?")
def unknown_option_of_a_method(folder: Path) -> Words:
    return running(folder, {"method": {"name": "advent", "options": {"weigth": 0.1}}})


@case(BAD, "network.encoder", "'resnet81' is unknown", "did you mean 'resnet18'?")
def unknown_encoder(folder: Path) -> Words:
    return running(folder, {"network.encoder": "resnet81"})


@case(BAD, "schedule.device", "isthmus doctor")
def device_that_is_not_there(folder: Path) -> Words:
    return running(folder, {"schedule.device": "cuda:9"})


@case(BAD, "encoder.safetensors", "safetensors")
def weights_of_no_bytes(folder: Path) -> Words:
    (folder / "encoder.safetensors").write_bytes(b"")
    return running(folder, {"network.weights": "encoder.safetensors"})


@case(BAD, "encoder.safetensors", "safetensors")
def pickle_for_weights(folder: Path) -> Words:
    (folder / "encoder.safetensors").write_bytes(pickle.dumps({"conv1.weight": [1.0] * 100}))
    return running(folder, {"network.weights": "encoder.safetensors"})


@case(BAD, "occupied", "choose another")
def folder_with_other_things_in_it(folder: Path) -> Words:
    (folder / "occupied").mkdir()
    (folder / "occupied" / "thesis.doc").write_text("the only copy")
    return ["run", folder / "job.yaml", "--to", folder / "occupied"]


@case(BAD, "notes/run", "choose another folder")
def file_in_the_way_of_the_folder(folder: Path) -> Words:
    (folder / "notes").write_text("a file")
    return ["run", folder / "job.yaml", "--to", folder / "notes" / "run"]


@case(BAD, "notes", "File exists", "choose another folder")
def file_for_a_folder(folder: Path) -> Words:
    (folder / "notes").write_text("a file")
    return ["run", folder / "job.yaml", "--to", folder / "notes"]


@case(BAD, "/proc/isthmus", "choose another folder")
def unwritable_folder(folder: Path) -> Words:
    return ["run", folder / "job.yaml", "--to", "/proc/isthmus/run"]


@case(BAD, "record.json", "is this the folder of a run?")
def folder_that_is_no_run(folder: Path) -> Words:
    return ["predict", folder, folder / "target.tif", "--to", folder / "maps"]


@case(BAD, "batch.yaml", "vory", "did you mean 'vary'?")
def batch_with_a_typo(folder: Path) -> Words:
    (folder / "batch.yaml").write_text(yaml.safe_dump({"job": "job.yaml", "vory": {"seed": [1]}}))
    return ["batch", folder / "batch.yaml"]
