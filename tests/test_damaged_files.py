"""Every file that a command reads, damaged: the command ends in time, with one line, and never with a wrong result.

The cases are drawn by their names, so that each file meets the same damage in every run; `slow` are all of them.
"""

import contextlib
import importlib.util
import io
import json
import os
import shutil
import traceback
import zlib
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest
from damage import complaint, damage, in_time, kinds_for, undone
from PIL import Image

from gluon_attn import Plan, get_model
from gluon_attn.cli import main, search, train_cifar
from gluon_attn.convert import reference_names
from gluon_attn.deploy.load_run import load_card
from gluon_attn.models.catalogue import HOME, publish
from gluon_attn.models.scheme import Scheme

DATA = "--dataset synthetic --train-images 32 --val-images 16 --classes 3 --input-size 16 --batch-size 8 -j 0"
NETWORK = "--model atac_cifar_resnet --model-options blocks=1 --act-type relu"
RUN = f"{DATA} {NETWORK} --save-period 0 --run-dir run"
CELLS = (
    "att-darts --dataset synthetic --train-images 32 --classes 3 --input-size 8 --batch-size 8 -j 0 --draw-every 0 "
    "--operations none,skip_connect,dil_conv_3x3 --nodes 1 --init_ch 4 --layers 3 --attentions se --run-dir cells"
)
EDGES = "[('sep_conv_3x3', 1), ('skip_connect', 0)]"
GENOTYPE = f"Genotype(normal={EDGES}, normal_concat=range(2, 3), reduce={EDGES}, reduce_concat=range(2, 3))"
FORMATS = ["symbol", *(name for name, library in (("onnx", "onnxruntime"), ("openvino", "openvino"))
                       if importlib.util.find_spec(library))]  # fmt: skip


def called(function, words):
    """(exit code, stderr), in time; an exception is a code of its own."""
    out, errors = io.StringIO(), io.StringIO()
    try:
        with in_time(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            code = function(words.split())
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        code = f"{type(error).__name__}: {error} in {Path(place.filename).name}:{place.lineno}"
    return code, errors.getvalue()


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with all kinds of files, in which this module's commands run."""
    folder, before = tmp_path_factory.mktemp("place"), Path.cwd()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert called(train_cifar, f"{RUN} --num-epochs 2")[0] == 0
        assert called(main, f"export run --format {' '.join(FORMATS[:2])} --output plain --no-check")[0] == 0
        words = "--precision float32 int8 --layout folders --output bundles --calibration-images 8"
        assert called(main, f"export run --format {' '.join(FORMATS)} {words}")[0] == 0
        assert called(search, f"{CELLS} --epochs 2")[0] == 0
        score = {"dataset": "synthetic", "images": 16, "correct": 4, "accuracy": 0.25}
        publish("home", "mine", "run/best.params", load_card("run"), score=score, seed=1)
        patch.setenv(HOME, str(folder / "home"))
        Image.fromarray(np.random.default_rng(1).integers(0, 255, (20, 20, 3), "uint8")).save("image.png")
        Path("plan.json").write_text(Plan([{"name": "se", "stages": [3], "options": {"reduction": 8}}]).to_json())
        Scheme("101010101", "cifar_resnet20_v1", "sge").save("scheme.json")
        Path("log.txt").write_text(f"genotype = {GENOTYPE}\n")
        write_their_weights()
        yield folder
    assert Path.cwd() == before


def write_their_weights():
    net = get_model("cifar_resnet20_v1", 2)
    net.initialize()
    net(mx.nd.zeros((1, 3, 32, 32)))
    own = net._collect_params_with_prefix()
    state = {name: own[path].data() for path, name in reference_names(net, "gluoncv").items()}
    mx.nd.save("theirs.params", state)
    if importlib.util.find_spec("safetensors"):
        numpy = importlib.import_module("safetensors.numpy")
        numpy.save_file({name: value.asnumpy() for name, value in state.items()}, "theirs.safetensors")


def exports(place):
    """(file, command, whether its hash is recorded) of each file of an export."""
    for file in sorted((place / "plain").iterdir()):
        name = file.name if file.suffix == ".onnx" else "run-symbol.json"
        yield file, f"predict image.png --model plain/{name}", False
    for bundle in sorted((place / "bundles").iterdir()):
        for file in sorted(bundle.iterdir()):
            if file.suffix != ".py":
                yield file, f"predict image.png --model bundles/{bundle.name}", file.name != "card.json"


def others(place):
    """The same for run folders, catalogues, plans, schemes, genotypes and weights to convert."""
    for name in ("config.yaml", "card.json", "metrics.jsonl", "best.params"):
        yield place / "run" / name, "eval run", False
        yield place / "run" / name, "export run --output again --no-check", False
        yield place / "run" / name, "report run --output page.html", False
    yield place / "home/index.json", "models --pretrained", False
    yield place / "home/index.json", "predict image.png --model mine", False
    yield place / "home/mine.params", "predict image.png --model mine", True
    yield place / "plan.json", "cost cifar_resnet20_v1 --plan plan.json", False
    yield place / "scheme.json", "cost cifar_resnet20_v1 --scheme scheme.json", False
    small = "channels=4 layers=3"
    yield place / "cells/genotype.json", f"cost darts_cifar --model-options genotype=cells/genotype.json {small}", False
    yield place / "log.txt", f"cost darts_cifar --model-options genotype=log.txt {small}", False
    for name in ("theirs.params", "theirs.safetensors"):
        if (place / name).exists():
            yield place / name, f"convert {name} ours.params --source gluoncv --model cifar_resnet20_v1", False


def drawn(place, path, words, kind, seed):
    """(random generator of a case, another file for it)."""
    random = np.random.default_rng(zlib.crc32(f"{path.relative_to(place)} {words} {kind} {seed}".encode()))
    beside = sorted(file for file in path.parent.iterdir() if file.is_file() and file != path and file.name[0] != ".")
    return random, beside[random.integers(len(beside))] if beside else place / "image.png"


def wrong(place, files, seeds, share=1):
    """What went wrong, a line for each case; share: of the cases that are tried."""
    found, count = [], 0
    for path, words, hashed in files:
        for kind in kinds_for(path):
            for seed in range(seeds if kind in ("bit", "bit in front", "bit at the end", "number", "not utf-8") else 1):
                random, other = drawn(place, path, words, kind, seed)
                if random.random() > share:
                    continue
                with undone(path):
                    changed = damage(path, kind, random, other)
                    code, errors = called(main, words)
                problem = complaint(code, errors)
                if hashed and changed and code != 2:
                    problem = problem or "the damage was not noticed"
                if problem:
                    found.append(f"{path.relative_to(place)} ({kind} {seed}), {words}: {problem}; {errors[-200:]!r}")
                count += 1
    assert count > 20 * share
    return found


def test_undamaged_files_are_read(place):
    for path, words, _ in [*exports(place), *others(place)]:
        assert called(main, words)[0] == 0, (path, words)


def test_damaged_exports(place):
    assert wrong(place, exports(place), 1) == []


def test_other_damaged_files(place):
    assert wrong(place, others(place), 1, 0.5) == []


@pytest.mark.slow
@pytest.mark.parametrize("files", [exports, others])
def test_all_damaged_files(place, files):
    assert wrong(place, files(place), 6) == []


def resumed(place, name, function, words, share, tmp_path):
    """What went wrong when a run with a damaged file was resumed, a line for each case."""
    found, hashed = [], ("meta.json", "net.params", "optimizer.params", "arch.params")
    files = [file for file in sorted((place / name).rglob("*")) if file.is_file() and file.name not in (".lock",)]
    for path in files:
        for kind in kinds_for(path):
            random, other = drawn(place, path, name, kind, 0)
            if random.random() > share:
                continue
            copy = tmp_path / "copy"
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(place / name, copy)
            changed = damage(copy / path.relative_to(place / name), kind, random, other)
            code, errors = called(function, f"{words} {copy} --resume auto")
            problem = complaint(code, errors)
            if path.name in hashed and path.parent.name == "epoch-0002" and changed and "is damaged" not in errors:
                problem = problem or "the damage was not noticed"
            if problem:
                found.append(f"{path.relative_to(place)} ({kind}): {problem}; {errors[-200:]!r}")
    return found


@pytest.mark.parametrize("share", [0.15, pytest.param(1, marks=pytest.mark.slow)])
def test_damaged_runs_are_resumed_or_refused(place, tmp_path, share):
    assert resumed(place, "run", train_cifar, "--num-epochs 3 --run-dir", share, tmp_path) == []


@pytest.mark.parametrize("share", [0.08, pytest.param(1, marks=pytest.mark.slow)])
def test_damaged_searches_are_resumed_or_refused(place, tmp_path, share):
    assert resumed(place, "cells", search, "att-darts --epochs 3 --run-dir", share, tmp_path) == []


def test_a_run_without_whole_checkpoints_is_not_started_anew(place, tmp_path):
    for count, words in ((1, "checkpoint before it is used"), (2, "and no other is whole: remove")):
        copy = tmp_path / str(count)
        shutil.copytree(place / "run", copy)
        for name in ("epoch-0002", "epoch-0001")[:count]:
            meta = copy / "checkpoints" / name / "meta.json"
            content = json.loads(meta.read_text())
            meta.write_text(json.dumps({**content, "best": 1}))  # well-formed, and not what was written
        before = (copy / "best.params").read_bytes()
        code, errors = called(train_cifar, f"--num-epochs 2 --run-dir {copy} --resume auto")
        assert (code, words in errors) == (2 * (count == 2), True)
        assert (copy / "best.params").read_bytes() == before or count == 1


def test_lost_options_do_not_cost_the_checkpoints(place, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(place / "run", copy)
    os.unlink(copy / "config.yaml")
    for more in ("", " --resume auto"):
        code, errors = called(train_cifar, f"{RUN} --num-epochs 1 --run-dir {copy}{more}")
        assert (code, errors.startswith(f"error: {copy} has checkpoints and no config.yaml")) == (2, True)
    assert (copy / "checkpoints/epoch-0002/net.params").exists()
