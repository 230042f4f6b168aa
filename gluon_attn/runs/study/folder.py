"""The folder of a study: what it runs, its database, its run folders and its results."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import filelock

from ...config.files import read_yaml
from ...utils.errors import UserError
from ...utils.files import clear_leftovers, ensure_dir, write_text
from ..folder import RunFolder
from .plan import StudyPlan

#: where studies go that name no folder
STUDIES = Path("studies")


class StudyFolder:
    """A study's folder and the files in it.

    Attributes:
        path: the folder.
        plan_file: study.yaml, the `StudyPlan`.
        database: study.db, the storage of its trials where no other is named.
        logs: folder with the output of each worker process.
        results_table: results.csv, a line per run.
        results_file: results.json, the runs and their statistics.
        page: report.html.
        recipe: best.yaml, the options of a sweep's best run, for option config.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = path = Path(path)
        self.plan_file, self.database, self.logs = path / "study.yaml", path / "study.db", path / "workers"
        self.results_table, self.results_file = path / "results.csv", path / "results.json"
        self.page, self.recipe = path / "report.html", path / "best.yaml"

    def __str__(self) -> str:
        return str(self.path)

    @property
    def name(self) -> str:
        """The name of the study."""
        return self.path.resolve().name

    def name_in(self, storage: str | None) -> str:
        """The name of the study in a storage: the folder's, or a fixed one in the folder's own, which may be moved."""
        return self.name if storage else "study"

    def run(self, number: int) -> RunFolder:
        """The folder of run `number`."""
        return RunFolder(self.path / "runs" / f"{number:03d}")

    @property
    def has_runs(self) -> bool:
        """Whether a run was begun here."""
        return any(self.path.glob("runs/*/*"))

    def storage(self, url: str | None) -> str:
        """The URL of the storage: `url`, or the database in the folder."""
        return url or f"sqlite:///{self.database.resolve()}"

    def read_plan(self) -> StudyPlan:
        """What the study runs.

        Raises:
            UserError: this is no study's folder, or study.yaml is damaged.
        """
        if not self.plan_file.is_file():
            raise UserError(f"{self} is no study: it has no {self.plan_file.name}")
        try:
            return StudyPlan.from_dict(read_yaml(self.plan_file))
        except UserError as error:
            raise UserError(f"{self.plan_file} is damaged: {error}") from None

    def begin(self, plan: StudyPlan) -> StudyPlan:
        """Make the folder that of a study, or find that it is; seeds may be added to it, never taken away.

        Args:
            plan: what is to run.

        Returns:
            What the study runs: `plan`, or with the seeds of an earlier call that had more.

        Raises:
            UserError: the folder holds another study or other files, or cannot be written to.
        """
        import yaml

        ensure_dir(self.path)
        with self._locked():
            if not self.plan_file.is_file():
                clear_leftovers(self.path)
                foreign = [path.name for path in self.path.iterdir() if path != self._lock]
                if foreign:
                    raise UserError(f"{self} holds other files ({foreign[0]}): name an empty folder, option output")
            else:
                found = self.read_plan()
                changed = plan.conflict(found)
                if changed:
                    raise UserError(f"{self} is a study with {changed}: name another folder, option output")
                if len(found.seeds) > len(plan.seeds) or found == plan:
                    return found
            write_text(self.plan_file, yaml.safe_dump(plan.to_dict(), sort_keys=False, allow_unicode=True))
        return plan

    @property
    def _lock(self) -> Path:
        return self.path / ".study.lock"

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with filelock.FileLock(self._lock):
            yield
