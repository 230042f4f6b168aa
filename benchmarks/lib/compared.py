"""A comparison by `gluon-attn compare` whose table is kept."""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

from benchmarks.lib.report import Table, machine
from gluon_attn.cli.compare import plan_of
from gluon_attn.runs.compare import compare_study
from gluon_attn.runs.pages.comparison import comparison_part
from gluon_attn.utils.files import write_text


@dataclass(frozen=True)
class Study:
    """A comparison.

    Attributes:
        title: above its table.
        command: the words after `gluon-attn compare`.
        limits: Markdown below the table: what it can and cannot show.
        folder: of the study, unless the command line names one.
    """

    title: str
    command: str
    limits: str
    folder: Path


def run(study: Study, description: str) -> int:
    """Run what is left of a study and write its table.

    Args:
        study: the comparison.
        description: of the script, for its help.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--out", type=Path, help="write the table to this Markdown file")
    parser.add_argument(
        "--study", type=Path, default=study.folder, help=f"folder of the study (default {study.folder})"
    )
    parser.add_argument("--workers", type=int, default=1, help="runs at the same time (default 1)")
    arguments = parser.parse_args()
    plan, _ = plan_of(study.command.split())
    part = comparison_part(compare_study(plan, arguments.study, arguments.workers))
    table = Table(part.header, numbers=len(part.header) - 1)
    for row in part.rows:
        table.add(*(f"{cell:,}" if isinstance(cell, int) else cell for cell in row))
    if arguments.out:
        command = f"`gluon-attn compare {study.command}` on {machine(f'{os.cpu_count()} cores')}."
        said = [f"- {line}" for line in part.lines]
        lines = [f"# {study.title}\n\n{command}", part.summary, "", *table.lines, "", *said, study.limits.rstrip(), ""]
        write_text(arguments.out, "\n".join(lines))
    return 0
