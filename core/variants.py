"""Jobs made from a job: settings from the command line, sweeps from a batch file, and run folders."""

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pydantic import Field

from core.errors import BadInput
from core.job import Job, follow_links, load_job, resolve_paths
from core.options import Options, load_yaml, parse
from core.presets import preset as load_preset
from core.runs.run import Run, create, open_run
from core.sweeps import sweep as load_sweep

Settings = Mapping[str, Any]
"""Dotted paths of a job's keys (`sampling.crop_px`, `source.scenes.0.path`) and their new values."""


class Batch(Options):
    """Variants of one job: every combination of the values in `vary`."""

    job: Path = Field(description="The job to vary")
    vary: dict[str, list[Any]] = Field(default_factory=dict, description="Dotted key -> its values")
    runs: Path | None = Field(None, description="Where the run folders go (default: runs/ beside the job)")


class Planned(NamedTuple):
    """A job and the folder of its run; `note`: what the settings did beside what they say."""

    job: Job
    folder: Path
    note: str = ""


def parse_settings(texts: Sequence[str] | None, preset: str | None = None) -> dict[str, Any]:
    """`key.path=value` texts, values in YAML, over what a preset sets.

    Raises BadInput for an unknown preset, and for a text without `=` or with a broken value.
    """
    settings = dict(load_preset(preset).settings) if preset else {}
    for text in texts or ():
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise BadInput(
                f"--set {text}", "is not of the form key.path=value", "such as --set schedule.steps=500"
            )
        try:
            settings[key] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise BadInput(f"--set {text}", "has a value that is not YAML", "quote it") from None
    return settings


def with_settings(job: Job, settings: Settings, base: Path) -> Job:
    """`job` with other values; relative paths among them are from `base`. Raises BadInput as `parse` does.

    Another `method.name` leaves the options of the method before it out; those among `settings` are its own.
    """
    if not settings:
        return job
    content = job.model_dump(mode="json")
    for key, value in sorted(settings.items(), key=lambda each: each[0].startswith("method.options")):
        method = content["method"]
        if key == "method.name" and isinstance(method, dict) and value != method["name"]:
            method["options"] = {}
        _set(content, key, value)
    return resolve_paths(
        parse(Job, content, "--set" if len(settings) > 1 else f"--set {next(iter(settings))}"), base
    )


def _set(content: Any, key: str, value: Any) -> None:
    *parents, last = key.split(".")
    node = content
    for part in parents:
        node = _child(node, part, key)
    if isinstance(node, list):
        _child(node, last, key)
        node[int(last)] = value
    elif isinstance(node, dict):
        node[last] = value
    else:
        raise _no_such(key, last)


def _child(node: Any, part: str, key: str) -> Any:
    if isinstance(node, list) and part.isdigit() and int(part) < len(node):
        return node[int(part)]
    if isinstance(node, dict) and part in node:
        if node[part] is None:  # an optional group is in use from its first setting on
            node[part] = {}
        return node[part]
    raise _no_such(key, part)


def _no_such(key: str, part: str) -> BadInput:
    return BadInput(
        f"--set {key}", f"a job has no {part!r} there", "`isthmus settings` lists what it may have"
    )


def plan(path: Path, settings: Settings, folder: Path | None = None) -> Planned:
    """The job in `path` with `settings`, and its run's folder: runs/NAME-METHOD-sSEED by default."""
    job, base = load_job(path), path.parent.resolve()
    made = with_settings(job, settings, base)
    return Planned(made, folder or base / "runs" / run_name(made), _left_out(job, made))


def _left_out(job: Job, made: Job) -> str:
    gone = [key for key in job.method.options if key not in made.method.options]
    if made.method.name == job.method.name or not gone:
        return ""
    return f"{made.method.name} is run without the job's options of {job.method.name} ({', '.join(gone)})"


def resume(folder: Path) -> Planned:
    """The run in `folder`, to go on with."""
    return Planned(open_run(folder).job, folder)


def begin(planned: Planned) -> Run:
    """The run of a job: the one in its folder, or a new one. Raises BadInput where it is another job's."""
    if not (planned.folder / "job.yaml").exists():
        return create(planned.job, planned.folder)
    run = open_run(planned.folder)
    if key := first_difference(follow_links(run.job), follow_links(planned.job)):
        problem = f"holds the run of another job ({key} differs)"
        raise BadInput(planned.folder, problem, "name another folder with --to, or delete this one")
    return run


def plan_batch(path: Path, sweep: str | None = None) -> list[Planned]:
    """The jobs of a batch file, or of a job file: one, or those that a named sweep makes of it.

    Raises BadInput for a file that is neither, and for a sweep of a batch file.
    """
    content = load_yaml(path)
    if "job" not in content:
        batch = Batch(job=Path(path.name), vary=load_sweep(sweep).vary if sweep else {})
    elif sweep:
        raise BadInput(path, "says itself what to vary", "give a job file with --sweep")
    else:
        batch = parse(Batch, content, path, "isthmus batch --help")
    base = (path.parent / batch.job).resolve()
    runs = (path.parent / batch.runs).resolve() if batch.runs else base.parent / "runs"
    job = load_job(base)
    planned = [_vary(job, settings, base.parent, runs) for settings in _combinations(batch.vary)]
    folders = [each.folder for each in planned]
    if len(set(folders)) < len(folders):
        raise BadInput(path, "`vary` names a value twice", "list each value once")
    return planned


def _vary(job: Job, settings: Settings, base: Path, runs: Path) -> Planned:
    varied = with_settings(job, settings, base)
    named = {"seed", "name", "method", "method.name"}
    last = Counter(key.split(".")[-1] for key in settings)
    more = [
        f"{key if last[name] > 1 else name}={value}"
        for key, value in settings.items()
        if key not in named and (name := key.split(".")[-1])
    ]
    return Planned(varied, runs / _slug("-".join([run_name(varied), *more])), _left_out(job, varied))


def _combinations(vary: Mapping[str, list[Any]]) -> Iterator[dict[str, Any]]:
    for values in itertools.product(*vary.values()):
        yield dict(zip(vary, values, strict=True))


def run_name(job: Job) -> str:
    return folder_name(job.name, job.method.name, job.seed)


def folder_name(name: str, method: str, seed: int) -> str:
    """The name of a run's folder, unless another is given."""
    return _slug(f"{name}-{method}-s{seed}")


def _slug(text: str) -> str:
    """`text` as a folder name on any system; letters of any script stay."""
    return re.sub(r"[^\w=.+-]+", "_", text).strip("._")


class Difference(NamedTuple):
    """A setting by its dotted key, and what it is in either job; None where a job has no such setting."""

    key: str
    one: Any
    other: Any


def differences(one: Job, other: Job, but: Mapping[str, Any] | None = None) -> list[Difference]:
    """Every setting in which two jobs differ, in the order of the job file; `but` for these parts.

    Lists of one length are compared item by item (`source.scenes.0.path`), others as a whole.
    """
    ours, theirs = (job.model_dump(mode="json", exclude=but) for job in (one, other))
    return list(_differences(ours, theirs, ""))


def first_difference(one: Job, other: Job) -> str | None:
    """Dotted key of the first setting in which two jobs differ."""
    return next((found.key for found in differences(one, other)), None)


def _differences(one: Any, other: Any, key: str) -> Iterator[Difference]:
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        one, other = dict(enumerate(one)), dict(enumerate(other))
    if not isinstance(one, dict) or not isinstance(other, dict):
        if one != other and not (one != one and other != other):  # NaN, of nodata
            yield Difference(key, one, other)
        return
    for name in [*one, *(name for name in other if name not in one)]:
        yield from _differences(one.get(name), other.get(name), f"{key}.{name}" if key else name)
