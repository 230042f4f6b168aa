"""The folder of a run. No other file of the package spells the names of the files in it."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock

from ..config.card import Card
from ..config.ean import EanSearchConfig, SupernetConfig
from ..config.files import read_yaml, write_yaml
from ..config.run_kind import CONFIG_FILE, check_kind, header, held_kind
from ..config.train import RunConfig
from ..utils import log
from ..utils.errors import UserError
from ..utils.files import clear_leftovers, ensure_dir, write_json


class FolderInUse(UserError):
    """Another run is at work in a folder."""


class RunFolder:
    """A run's folder and the files in it.

    Attributes:
        path: the folder.
        config_file: config.yaml, all options of the run.
        card_file: card.json, the network's `Card`.
        log_file: log.txt, the log with times.
        metrics_file: metrics.jsonl, one JSON object per epoch.
        best_params: best.params, the weights of the best epoch.
        history_plot: history.png, loss and accuracy over the epochs.
        events: folder of TensorBoard's events.
        checkpoints: folder of the checkpoints.
        params: folder of periodic parameter files.
        genotype_file: genotype.json, what a gradient search derives.
        operations_plot: choices.png, softmax weights of the candidate operations over the epochs.
        cells: folder of pictures of derived cells.
        random_file: chance.json, the genotypes of a random search.
        seeds_file: seeds.json, several searches side by side.
        supernet_file: supernet.json, what a resumed EAN search must have unchanged.
        scheme_file: best.json, the best connection scheme of an EAN search.
        better_scheme_file: better.json, one of its baselines, if that has a higher reward.
        results_file: results.json, the table of a search or of several runs.
        report_file: report.html, a page about the run.
    """

    def __init__(self, path: Path | str):
        self.path = path = Path(path)
        self.config_file, self.card_file = path / CONFIG_FILE, path / "card.json"
        self.log_file, self.metrics_file = path / "log.txt", path / "metrics.jsonl"
        self.best_params, self.history_plot = path / "best.params", path / "history.png"
        self.events, self.checkpoints, self.params = path / "events", path / "checkpoints", path / "params"
        self.genotype_file, self.operations_plot = path / "genotype.json", path / "choices.png"
        self.cells, self.scheme_file = path / "cells", path / "best.json"
        self.better_scheme_file = path / "better.json"
        self.results_file, self.report_file = path / "results.json", path / "report.html"
        self.random_file, self.seeds_file = path / "chance.json", path / "seeds.json"
        self.supernet_file = path / "supernet.json"
        self._lock = path / ".lock"

    def __str__(self) -> str:
        return str(self.path)

    @property
    def holds_run(self) -> bool:
        """Whether a run was started here."""
        return self.config_file.is_file()

    @property
    def has_results(self) -> bool:
        """Whether there is something to lose: a checkpoint, a finished epoch or step, or what a search has found."""
        files = (
            self.metrics_file, self.best_params, self.genotype_file, self.random_file, self.seeds_file,
            self.scheme_file, self.better_scheme_file, self.results_file,
        )  # fmt: skip
        if any(path.is_file() and path.stat().st_size for path in files):
            return True
        folders = (self.checkpoints, self.params, self.path / "state")
        return any(not item.name.startswith(".") for folder in folders if folder.is_dir() for item in folder.iterdir())

    @property
    def parts(self) -> list[str]:
        """Names of the runs in folders of their own in this folder, such as those of several seeds."""
        found = self.path.iterdir() if self.path.is_dir() else ()
        return sorted(path.name for path in found if RunFolder(path).holds_run)

    def remove_if_empty(self) -> None:
        """Remove the folder if nothing is in it."""
        with contextlib.suppress(OSError):
            self.path.rmdir()

    def below(self, name: str) -> "RunFolder":
        """The folder of a run that belongs to this one, such as one of several seeds."""
        return RunFolder(self.path / name)

    def samples_file(self, search: str) -> Path:
        """The file with the samples of an EAN run's search by name, such as "random"; one JSON object per line."""
        return self.path / f"samples-{search}.jsonl"

    def search_state(self, search: str) -> Path:
        """The folder with the state of an EAN run's search by name, such as "random"."""
        return self.path / "state" / search

    def read_config(self, kind: type[Any] = RunConfig) -> Any:
        """Read the config of the run.

        Args:
            kind: its class.

        Returns:
            An instance of `kind`.

        Raises:
            UserError: config.yaml is missing, is of another kind of run, or does not fit the class.
        """
        check_kind(self.path, kind.kind, *[SupernetConfig.kind] * (kind is RunConfig))  # of the same options
        return kind.from_dict(read_yaml(self.config_file))

    def read_options(self) -> dict[str, Any]:
        """All options as "group.name" -> value, as plain data, so that those of an earlier version can be read too.

        Raises:
            UserError: this is not a run folder, or the file is damaged.
        """
        if not self.holds_run:
            raise UserError(f"{self} is not a run folder: it has no {self.config_file.name}")
        groups = read_yaml(self.config_file)
        if not all(isinstance(group, dict) for group in groups.values()):
            raise UserError(f"{self.config_file} is damaged: it holds more than groups of options")
        return {f"{group}.{key}": value for group, values in groups.items() for key, value in values.items()}

    def read_history(self) -> list[dict]:
        """The records of the finished epochs, one or more; `UserError` where there is none or the file is damaged."""
        if not self.metrics_file.is_file():
            if held_kind(self.path) == EanSearchConfig.kind:
                raise UserError(
                    f"{self} holds a search of connections, which has no epochs; its page is {self.report_file.name}"
                )
            raise UserError(f"{self} has no {self.metrics_file.name}: the run has not finished an epoch")
        try:
            history = [json.loads(line) for line in self.metrics_file.read_text(encoding="utf-8").splitlines()]
            whole = bool(history) and all(isinstance(record["epoch"], int) for record in history)
        except (OSError, ValueError, KeyError, TypeError):
            whole = False
        if not whole:
            raise UserError(f"{self.metrics_file} is damaged: every line must be a JSON object with an epoch")
        return history

    def describe(self, config: Any, card: Card | None = None) -> None:
        """Write config.yaml and, where there is a `card`, card.json."""
        ensure_dir(self.path)
        write_yaml(self.config_file, config, header(config.kind))
        if card is not None:
            write_json(self.card_file, card.to_dict())

    @contextlib.contextmanager
    def logged(
        self, config: Any, card: Card | None = None, resumed: bool = False, restarted: bool = False
    ) -> Iterator[None]:
        """A context in which the folder describes the run and its log is written there.

        Args:
            config: the config of the run.
            card: the card of its network, if there is one.
            resumed: whether the run is resumed; then unfinished files of the earlier process are removed.
            restarted: whether it takes the place of a run without results, whose log goes on; so then.
        """
        if resumed or restarted:
            clear_leftovers(self.path)
        if restarted:
            for path in (self.card_file, self.supernet_file):  # of that run
                path.unlink(missing_ok=True)
        self.describe(config, card)
        with contextlib.ExitStack() as stack:
            for path in filter(None, [self.log_file, config.train.logging_file]):
                stack.callback(log.close, log.to_file(path))
            yield

    @contextlib.contextmanager
    def locked(self, created: bool = False) -> Iterator[None]:
        """A context in which no other process can take this folder; one that nothing was written to is removed.

        Args:
            created: the folder was made for this run, although it is there already.

        Raises:
            UserError: another run is at work in it.
        """
        made = [path for path in (self.path, *self.path.parents) if not path.exists()]
        ensure_dir(self.path)
        lock = self._acquire()
        try:
            yield
        finally:
            self._clean_up([self.path] * created or made)
            lock.release()

    def _acquire(self):
        lock = filelock.FileLock(self._lock)
        while True:
            try:
                lock.acquire(timeout=0)
            except filelock.Timeout:
                raise FolderInUse(f"{self} is in use by another run: choose another option run_dir, or wait") from None
            except OSError as error:
                raise UserError(f"cannot write to {self}: {error.strerror}; choose another option run_dir") from None
            if self._lock.exists():  # else its last holder has just removed it
                return lock
            lock.release()
            ensure_dir(self.path)

    def _clean_up(self, made):
        """A run that wrote nothing leaves nothing, of the folders `made` for it either; its lock is still held."""
        with contextlib.suppress(OSError):
            if all(item == self._lock for item in self.path.iterdir()):
                self._lock.unlink(missing_ok=True)
                for path in made:
                    path.rmdir()
