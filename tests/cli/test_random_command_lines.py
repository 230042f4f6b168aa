"""Whatever the words of a command line: done, or one line that says what is wrong, and nothing left behind.

Repeat a line that fails from its words in the message. What would train or draw something large ends with an error
before that, as if the user had asked for too much.
"""

import collections
import json
import os
import re
import shlex
import shutil
import signal
import socket
import warnings
from pathlib import Path

import pytest
from command_lines import COMMANDS, line
from rooms import contents, furnish, leftovers
from studies import run_here

from gluon_attn import plugins
from gluon_attn.cli import main, train_cifar, train_coco, train_imagenet
from gluon_attn.config.detect import DetectRunConfig
from gluon_attn.runs import compare, sweep
from gluon_attn.runs import demo as demo_run
from gluon_attn.utils.errors import UserError

SECONDS = 20  # that a line may take
#: command -> least share of its lines that run to the end
DONE = {
    "train_cifar.py": 0.25,  # of its options some go with another alone, such as --pretrained or --bce-loss
    "train_coco.py": 0.25,
    "train": 0.4,
    "att-darts": 0.2,
    "ean-supernet": 0.3,
    "cost": 0.3,
    "export": 0.2,
}


@pytest.fixture(scope="module")
def furnished(tmp_path_factory):
    """A room that tests copy."""
    room = tmp_path_factory.mktemp("furnished")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(room)
        furnish(room)
    return room


class Room:
    """The folder that lines run in; it is made anew after one that changed it."""

    def __init__(self, template, folder):
        self._template, self._folder = template, folder
        self.path, self.whole = folder / "a/b/room", {}

    def tidy(self):
        """Make it as the template is, if it is not."""
        if self.whole and contents(self._folder) == self.whole:
            return
        shutil.rmtree(self._folder, ignore_errors=True)
        self.path.parent.mkdir(parents=True)
        shutil.copytree(self._template, self.path, symlinks=True)
        (self._folder / "home").mkdir()
        os.chdir(self.path)
        self.whole = contents(self._folder)

    def changed(self):
        """Names of what is not as before."""
        now = contents(self._folder)
        names = sorted(name for name in {*now, *self.whole} if now.get(name) != self.whole.get(name))
        return [name for name in names if not name.startswith("home/mxnet")]  # the cache of downloads

    def leftovers(self):
        """Scratch folders."""
        return leftovers(self._folder)


@pytest.fixture
def room(furnished, tmp_path, monkeypatch):
    """A `Room`, the current folder; no network, another home."""
    room = Room(furnished, tmp_path / "around")
    monkeypatch.chdir(tmp_path)  # and back at the end
    monkeypatch.setenv("XDG_CACHE_HOME", os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache"))
    room.tidy()
    monkeypatch.setenv("HOME", str(room.path.parents[2] / "home"))
    monkeypatch.setenv("MXNET_HOME", str(room.path.parents[2] / "home/mxnet"))
    monkeypatch.setenv(plugins.VARIABLE, "")  # which a line may set
    monkeypatch.setattr("socket.getaddrinfo", unreachable)
    for target, heavy in HEAVY.items():
        monkeypatch.setattr(target, within_reason(target, heavy))
    small = {**demo_run.RECIPE, "data": SMALL_DATA}
    monkeypatch.setattr(demo_run, "RECIPE", small)
    for module in (compare, sweep):
        monkeypatch.setattr(module, "run_all", run_here)
    monkeypatch.setattr(demo_run, "ATTENTIONS", (None, "se"))
    return room


SMALL_DATA = {"dataset": "synthetic", "train_images": 16, "val_images": 8, "classes": 2, "input_size": 8}


def unreachable(*_, **__):
    raise socket.gaierror("no network")


def too_much(config):
    """Whether a run with these options is more than a test should do."""
    if isinstance(config, DetectRunConfig):
        return too_much_for_a_detector(config)
    data, train, search = config.data, config.train, getattr(config, "search", None)
    counts = [train.num_epochs / 3, data.train_images / 64] * hasattr(config, "optim")
    counts += [data.val_images / 64, (data.input_size or 8) / 32]
    counts += [data.num_workers / 8]
    if train.benchmark or train.data_benchmark:
        counts.append(train.benchmark_batches / 3)
    if search is not None:
        counts.append(len(search.seeds or ()) / 2)
        if search.random_search or search.pick_by == "retrain":
            counts.append(search.retrain_epochs / 2)
    space = getattr(config, "space", None)
    if space is not None:
        counts += [space.nodes / 2, getattr(space, "layers", 3) / 4, getattr(space, "channels", 4) / 16]
        counts.append(2 * (getattr(space, "net_type", "resnet20") != "resnet20"))
    ean = getattr(config, "ean", None)
    counts += [ean.steps / 4, ean.validate_size / 8] if ean else []
    model = getattr(config, "model", None)
    if model is not None:
        counts += [(model.blocks or 1) / 2, (model.layers or 1) / 6, (model.init_ch or 1) / 16]
        counts.append(
            2 * (model.model not in ("cifar_resnet20_v1", "cifar_resnet20_v2", "atac") or bool(model.net_type))
        )
    return data.dataset == "digits" or max(counts) > 1


def too_much_for_a_detector(config):
    data, train = config.data, config.train
    counts = [train.num_epochs / 3, data.batch_size / 8, data.num_workers / 8, max(data.sizes[0]) / 64]
    counts += [data.sizes[1] / 96, ((data.train_count or 1200) + (data.val_count or 200)) / 16]
    counts += [2 * ("resnet18" not in config.model.model), 2 * ("widths" not in config.model.model_options)]
    if train.benchmark or train.data_benchmark:
        counts.append(train.benchmark_batches / 3)
    return max(counts) > 1


#: function that begins the heavy part -> its argument's place that is the config
HEAVY = {
    "gluon_attn.runs.train.make_trainer": 0,
    "gluon_attn.runs.train.make_detection_trainer": 0,
    "gluon_attn.runs.throughput.throughput": 0,
    "gluon_attn.runs.gradient_search.make_search_trainer": 0,
    "gluon_attn.runs.random_search._search": 0,
    "gluon_attn.runs.search.estimate": 0,
    "gluon_attn.runs.ean_search.SearchContext": 0,
}


def within_reason(target, place):
    """The function `target`, with an error where it would do too much."""
    module, _, name = target.rpartition(".")
    real = getattr(__import__(module, fromlist=[name]), name)

    def limited(*args, **kwargs):
        if too_much(args[place]):
            raise UserError("more than a test does")
        return real(*args, **kwargs)

    return limited


def entry_point(name):
    own = {"train_cifar.py": train_cifar, "train_imagenet.py": train_imagenet, "train_coco.py": train_coco}
    return own.get(name, main)


def complaints(name, words, room, capfd):
    """What is wrong with how a command took its words; and its exit code."""
    capfd.readouterr()
    with warnings.catch_warnings(record=True) as warned, time_limit():
        warnings.simplefilter("default")
        try:
            code = entry_point(name)(words)
        except BaseException as error:
            return [f"{type(error).__name__}: {error}"], None
    out, err = capfd.readouterr()
    lines = err.splitlines()
    found = [f"warning: {warning.message}" for warning in warned if warning.category not in _QUIET]
    found += [f"not ours: {text}" for text in lines if re.match(r"\[\d\d:\d\d:\d\d\]|Traceback|\S*Warning:", text)]
    found += [f"left behind: {path}" for path in room.leftovers()]
    if code not in (0, 1, 2):
        found.append(f"exit code {code}")
    errors = [text for text in lines if text.startswith("error: ")]
    if len(errors) != (code != 0):
        found.append(f"{len(errors)} error lines with exit code {code}")
    if code == 2:
        found += [f"printed before an error: {out[:80]!r}"] if out and name != "demo" else []
        found += [f"changed although it is refused: {', '.join(changed[:3])}"] if (changed := room.changed()) else []
    if code == 0 and "--json" in words and "--json=" not in words:
        json.loads(out)
    return [f"{text} | {' / '.join(lines)[-300:]}" for text in found], code


_QUIET = (DeprecationWarning, FutureWarning, ResourceWarning)


class time_limit:
    """A context that ends with a `TimeoutError` after `SECONDS`."""

    def __enter__(self):
        self._before = signal.signal(signal.SIGALRM, self._end)
        signal.alarm(SECONDS)

    def __exit__(self, *_):
        signal.alarm(0)
        signal.signal(signal.SIGALRM, self._before)

    @staticmethod
    def _end(*_):
        raise TimeoutError(f"more than {SECONDS} s")


def attempt(name, numbers, room, capfd):
    """(what is wrong with lines of a command, exit code -> how many had it)."""
    failed, codes = [], collections.Counter()
    for number in numbers:
        words = line(name, number)
        room.tidy()
        found, code = complaints(name, words, room, capfd)
        codes[code] += 1
        failed += [f"{name} line {number}: {shlex.join(words)}\n    {text}" for text in found]
    return "\n".join(failed).encode("utf-8", "backslashreplace").decode(), codes


@pytest.mark.parametrize("name", COMMANDS)
def test_any_words_are_done_or_refused_in_one_line(name, room, capfd):
    lines = COMMANDS[name].lines
    failed, codes = attempt(name, range(lines), room, capfd)
    assert not failed, failed
    print(f"exit code -> lines: {dict(codes)}")
    assert codes[0] >= DONE.get(name, 0) * lines, codes


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_more_words(name, room, capfd):
    lines = COMMANDS[name].lines
    failed, _ = attempt(name, range(lines, 8 * lines), room, capfd)
    assert not failed, failed
