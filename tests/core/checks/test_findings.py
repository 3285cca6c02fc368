from core.checks.findings import ALIKE, Finding, LabelReport, SceneReport, Verdict, gathered


def scene(**pixels: int) -> SceneReport:
    labels = LabelReport(path="l", counted="all", pixels=pixels, features=None, unmapped={})
    facts = {"path": "a", "region": "here", "crs": None, "gsd_m": 1.0, "width_px": 1, "height_px": 1}
    rest = {"bands": [], "dtype": "uint8", "nodata_source": "", "valid_share": 1.0}
    return SceneReport(**facts, **rest, labels=labels if pixels else None)


def test_shares_of_the_labels_are_those_of_all_scenes() -> None:
    verdict = Verdict(job="j", scenes=[scene(water=10, forest=30), scene(), scene(water=60)])
    assert verdict.label_shares() == {"water": 0.7, "forest": 0.3}
    assert Verdict(job="j", scenes=[scene()]).label_shares() == {}
    assert Verdict(job="j", scenes=[scene(water=0)]).label_shares() == {}


def test_findings_that_are_alike_are_one_from_some_number_on() -> None:
    ragged = [
        Finding(where=f"{i}.tif", what=f"is {60 + i}.5% nodata", remedy="draw an area") for i in range(ALIKE)
    ]
    other = Finding(where="x.tif", what="is far off", remedy="draw an area")
    assert gathered([*ragged[1:], other]) == [*ragged[1:], other]
    together = gathered([ragged[0], other, *ragged[1:]])
    assert [finding.where for finding in together] == ["0.tif (and 3 more alike)", "x.tif"]
    assert together[0].what == "is 60.5% nodata"
