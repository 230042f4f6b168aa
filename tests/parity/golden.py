"""Reads golden cases: numbers that the reference implementations gave. The rules are those of the cases' README.

The folder is named by GLUON_ATTN_GOLDEN; without it `tests/golden` is read, which holds the small ones:
`python tests/parity/golden.py FOLDER` copies them from a folder of all.
"""

import json
import os
import shutil
import sys
import zlib
from pathlib import Path

import numpy as np

OWN = Path(__file__).resolve().parents[1] / "golden"
SMALL = 60 * 1024  # bytes


def folder():
    """The folder of the cases. It must be there."""
    path = Path(os.environ.get("GLUON_ATTN_GOLDEN") or OWN)
    if not (path / "index.json").is_file():
        raise FileNotFoundError(f"{path} holds no index.json of golden cases")
    return path


def read_index(path=None):
    """Every `Case` in the order of the index."""
    path = path or folder()
    index = json.loads((path / "index.json").read_text(encoding="utf-8"))
    return [Case(entry, path) for entry in index["cases"]]


class Case:
    """One case: its entry in the index, its arrays (read when first asked for), its weights and inputs."""

    def __init__(self, entry, path):
        self.id, self.config = entry["id"], entry["config"]
        self.build, self.args = self.config.get("build"), self.config.get("args", {})
        self.group, self.run = entry.get("group"), self.config.get("run")
        self.source = entry.get("source")
        self.call, self.opts = self.config.get("opts", {}).get("call"), self.config.get("opts", {})
        self.seed, self.counts, self.macs = entry.get("seed"), entry.get("counts", {}), entry.get("macs", {})
        self.genotypes, self.hyper = entry.get("genotypes", []), entry.get("hyper", {})
        self.meta, self._file = entry.get("arrays", {}), path / (entry.get("file") or "")
        self._data = None

    def __repr__(self):
        return self.id

    @property
    def data(self):
        """Array name -> stored array."""
        if self._data is None:
            with np.load(self._file, allow_pickle=False) as file:
                self._data = {key: file[key] for key in file.files}
        return self._data

    def modes(self):
        """`eval`, `train` or both."""
        return [mode for mode in ("eval", "train") if f"{mode}/out" in self.meta]

    def weights(self):
        """Tensor name of the reference -> float32 array, by the weight rule; each is checked by its checksum."""
        gain = self.opts.get("gain", 2.0)
        if "param/name" not in self.data:
            return {}
        table = [self.data[f"param/{column}"] for column in ("name", "kind", "shape", "crc32")]
        tensors = {}
        for name, kind, text, crc in zip(*table, strict=True):
            shape = tuple(int(size) for size in str(text).split("x") if size)
            values = draw(str(name), str(kind), shape, gain, self.seed)
            assert zlib.crc32(values.astype("<f4").tobytes()) == int(crc), f"{self.id}: weight rule fails for {name}"
            tensors[str(name)] = values
        return tensors

    def inputs(self):
        """The inputs, float32."""
        shapes = self.config["input"]
        shapes = shapes if isinstance(shapes[0], list) else [shapes]
        return [self._normal(1, i, shape) for i, shape in enumerate(shapes)]

    def cotangent(self, shape, index=0):
        """What an output of `shape` is multiplied by before summing, for gradients."""
        return self._normal(2, index, shape)

    def _normal(self, what, index, shape):
        state = np.random.RandomState(self.seed + what + 1000 * index)
        return state.normal(size=shape).astype(np.float32)

    def complaint(self, key, got, least=(2e-6, 5e-6)):
        """None when the whole array `got` agrees with the stored `key`, else one line with the distances.

        `least` are the relative distances, L2 and of the largest, that are always allowed.
        """
        meta, stored = self.meta[key], np.asarray(self.data[key], np.float64)
        got = np.asarray(got, np.float64).reshape(meta["shape"])
        wanted = biased_variance(self, key, stored) if meta.get("n_per_channel") else stored
        if not meta["l2"]:
            return None if np.abs(got).max() <= 1e-6 else f"{key}: up to {np.abs(got).max():.2e}, not zero"
        difference = got.reshape(-1)[:: meta["step"]] - wanted.reshape(-1)
        far = {
            "l2": np.linalg.norm(difference) / max(np.linalg.norm(wanted), 1e-30),
            "max": np.abs(difference).max() / max(np.abs(wanted).max(), 1e-30),
        }
        for norm, floor in zip(("l2", "max"), least, strict=True):
            limit = max(floor, 10 * meta[f"f64_{norm}"], 10 * meta.get(f"wob_{norm}", 0))
            if not far[norm] <= limit:
                return f"{key}: relative {norm} distance {far[norm]:.2e}, limit {limit:.2e}"
        if meta["step"] > 1 and wanted is stored:  # what was not stored, by its norm
            off = abs(np.linalg.norm(got) / meta["l2"] - 1)
            return None if off <= limit else f"{key}: the whole array's norm is off by {off:.2e}"
        return None


def biased_variance(case, key, stored):
    """A running variance of the reference (PyTorch blends the unbiased one in) as MXNet computes it."""
    meta = case.meta[key]
    count, *others = meta["n_per_channel"]  # one for each call in the pass
    assert set(others) <= {count}, f"{key}: calls over different numbers of values"
    kept = case.weights()[key.split("/", 2)[2]].astype(np.float64) * (1 - meta["momentum"]) ** len(
        meta["n_per_channel"]
    )
    return kept + (stored - kept) * (count - 1) / count


def draw(name, kind, shape, gain, seed):
    """Values of one tensor by the weight rule."""
    state = np.random.RandomState((zlib.crc32(name.encode("utf-8")) ^ seed) & 0xFFFFFFFF)
    if kind in ("bn_gamma", "bn_var"):
        values = state.uniform(0.5, 1.5, size=shape)
    elif kind in ("bn_beta", "bn_mean", "bias"):
        values = state.normal(0.0, 0.1, size=shape)
    else:
        fan_in = int(np.prod(shape[1:])) if len(shape) > 1 else 1
        values = state.normal(0.0, np.sqrt(gain / fan_in), size=shape)
    return np.asarray(values).astype(np.float32)


def copy_small(source, target):
    """Copy the cases of less than `SMALL` bytes, and those without a file, with their part of the index."""
    index = json.loads((source / "index.json").read_text(encoding="utf-8"))
    files = {case["id"]: source / case["file"] for case in index["cases"] if case.get("file")}
    index["cases"] = [c for c in index["cases"] if c["id"] not in files or files[c["id"]].stat().st_size < SMALL]
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for case in index["cases"]:
        if case.get("file"):
            shutil.copyfile(files[case["id"]], target / case["file"])
    text = ",\n".join(json.dumps(case, sort_keys=True) for case in index.pop("cases"))
    head = json.dumps(index, sort_keys=True)[:-1]
    (target / "index.json").write_text(f'{head}, "cases": [\n{text}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    copy_small(Path(sys.argv[1]), OWN)
