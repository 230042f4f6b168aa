"""The files of an inspection: a picture per image and per question, a page with all of them, and JSON."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ...analyze.class_plots import draw_class_gates, draw_class_maps, draw_class_share
from ...analyze.figures import raster_text, save_png
from ...analyze.gate_plots import Look, draw_sheet
from ...analyze.gate_statistics import SiteStatistics
from ...analyze.page import Picture, Section, Table, Text, write_page
from ...nn.recording import CHANNEL, SPATIAL
from ...utils.errors import UserError
from ...utils.files import atomic_path, ensure_dir, write_json
from ..inspection import HEADER, Inspection, by_stage, conclusions, drawn_classes, percent, stage_rows

_JSON, _IMAGES = "inspect.json", "images"
_NAMED = 30  # most classes in a table


def check_folder(folder: Path) -> None:
    """Check that an inspection can be written.

    Raises:
        UserError: the folder cannot be made, or holds something else.
    """
    ensure_dir(folder.parent)
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UserError(f"{folder} is not a folder: choose another one with option output")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / _JSON).is_file():
        raise UserError(f"{folder} holds other files, no earlier inspection: choose another folder with option output")


def write_inspection(found: Inspection) -> None:
    """Write all files of an inspection, or none."""
    with atomic_path(found.folder) as staged:
        (staged / _IMAGES).mkdir(parents=True)
        sheets = _sheet_names(found.looks)
        sections = []
        for name, look in found.looks.items():
            picture = _save(draw_sheet(look, Path(name).name), staged / sheets[name], _described(name, look, found))
            sections.append(Section(Path(name).name, [picture]))
        if found.statistics:
            sections += _statistics(found, staged)
        write_page(staged / "index.html", f"Inside {Path(found.target).name}", _summary(found), sections)
        write_json(staged / _JSON, _plain(found, sheets))


def _statistics(found: Inspection, folder: Path) -> list[Section]:
    """The sections about a data set; their pictures are written on the way."""
    statistics, names, chosen = found.statistics, found.class_names, drawn_classes(found.statistics)
    by_class = ", ".join(names[label] for label in chosen)
    parts: list[Any] = [Text(conclusions(found)), Table(HEADER, stage_rows(statistics), caption="The gates by stage")]
    shares = ", ".join(f"{one.site.title} {percent(one.whole.class_share())}" for one in statistics)
    parts.append(_save(draw_class_share(statistics), folder / "class_share.png",
                       f"Share of the variance that the class explains: {shares}."))  # fmt: skip
    sections = [Section(f"Do the gates depend on the class? {found.images} test images of {found.dataset}", parts)]
    if any(one.site.kind != SPATIAL for one in statistics):
        picture = _save(draw_class_gates(statistics, names, chosen), folder / "class_gates.png",
                        f"Mean factor of each channel for the classes {by_class}, and for all images.")  # fmt: skip
        sections.append(Section("Factors of the channels by class", [picture]))
    if any(one.site.kind != CHANNEL for one in statistics):
        picture = _save(draw_class_maps(statistics, names, chosen), folder / "class_maps.png",
                        f"Mean map of each spatial gate for all images and for the classes {by_class}.")  # fmt: skip
        sections.append(Section("Maps of the gates by class", [picture]))
    return [*sections, Section("Gates by stage and class", [_class_table(found)]),
            Section("Every gate", [_site_table(statistics)])]  # fmt: skip


def _class_table(found: Inspection) -> Table:
    groups, labels = by_stage(found.statistics), sorted(found.statistics[0].level.counts)
    labels = labels if len(labels) <= _NAMED else drawn_classes(found.statistics)
    rows = [
        [found.class_names[label], found.statistics[0].level.counts[label],
         *(_level(group, label) for group in groups.values())]
        for label in labels
    ]  # fmt: skip
    header = ["class", "images", *(f"{stage}, {kind}" for stage, kind in groups)]
    return Table(header, rows, caption="Mean factor and its standard deviation over the images of a class")


def _level(group: Sequence[SiteStatistics], label: int) -> str:
    mean, std = (np.mean([float(one.level.of_class(label)[i][0]) for one in group]) for i in (0, 1))
    return f"{mean:.3f} ± {std:.4f}"


def _site_table(statistics: Sequence[SiteStatistics]) -> Table:
    header = (
        "module",
        "place",
        "gates per",
        "mean",
        "std over images",
        "std over its factors",
        "explained by the class",
    )
    rows = [
        (one.site.path, one.site.title, one.site.kind, f"{one.level.mean[0]:.3f}", f"{one.level.std[0]:.4f}",
         f"{one.whole.mean.std():.4f}", percent(one.whole.class_share()))
        for one in statistics
    ]  # fmt: skip
    return Table(header, rows, caption="Every gate, in the order of a pass")


def _save(figure: Figure, path: Path, description: str) -> Picture:
    save_png(figure, path)
    return Picture(raster_text(path.read_bytes()), description)


def _described(name: str, look: Look, found: Inspection) -> str:
    best = ", ".join(f"{one} {probability:.1%}" for one, probability in look.classes)
    gates = f"{len(look.gates)} gates" if look.gates else "the network has no gates"
    cam = f"Grad-CAM for {look.cam_class}" if look.cam is not None else "no Grad-CAM"
    return f"{name} as {found.target} sees it: most probable classes {best}; {cam}; {gates}."


def _summary(found: Inspection) -> str:
    text = (
        "A gate is what an attention multiplies a feature map by: one factor per channel, per pixel (spatial) or per "
        "element. Grad-CAM is bright where the last feature map speaks for a class. The share of the variance that the "
        "class explains is epsilon squared: 0 is expected of gates that do not depend on the class, 100 % if they "
        "depend on nothing else."
    )
    return text if found.gates else f"{conclusions(found)[0]} {text}"


def _plain(found: Inspection, sheets: dict[str, str]) -> dict[str, Any]:
    """The content of inspect.json."""
    images = [
        {
            "image": name, "sheet": sheets[name], "grad_cam_class": look.cam_class,
            "classes": [{"class": one, "probability": probability} for one, probability in look.classes],
            "grad_cam": None if look.cam is None else look.cam.round(4).tolist(),
            "gates": [_gate(site, values) for site, values in look.gates],
        }
        for name, look in found.looks.items()
    ]  # fmt: skip
    dataset = None
    if found.statistics:
        labels = sorted(found.statistics[0].level.counts)
        detailed = labels if len(labels) <= _NAMED else drawn_classes(found.statistics)
        gates = [one.to_dict(found.class_names, detailed) for one in found.statistics]
        dataset = {"name": found.dataset, "images": found.images, "gates": gates}
    return {"version": 1, "target": found.target, "gates": found.gates, "conclusions": conclusions(found),
            "images": images, "dataset": dataset}  # fmt: skip


def _gate(site: Any, values: np.ndarray) -> dict[str, Any]:
    """One gate of one image; its channels, and its map, the mean over the other."""
    plain = {key: getattr(site, key) for key in ("path", "number", "kind", "stage", "name")}
    plain |= {"mean": float(values.mean()), "min": float(values.min()), "max": float(values.max())}
    if site.kind != SPATIAL:
        plain["channels"] = values.mean((1, 2)).round(4).tolist()
    if site.kind != CHANNEL:
        plain["map"] = values.mean(0).round(4).tolist()
    return plain


def _sheet_names(looks: Mapping[str, Look]) -> dict[str, str]:
    """Image file -> its sheet: images/STEM.png, numbered where another image has that name."""
    names: dict[str, str] = {}
    for path in looks:
        stem, number = re.sub(r"[^\w.-]+", "_", Path(path).stem), 1
        name = f"{_IMAGES}/{stem}.png"
        while name.lower() in {other.lower() for other in names.values()}:
            number += 1
            name = f"{_IMAGES}/{stem}-{number}.png"
        names[path] = name
    return names
