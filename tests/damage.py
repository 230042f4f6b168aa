"""Files damaged in every way that a disk, a copy or an editor does it, and what a command says of them."""

import contextlib
import re
import shutil
import signal

#: numbers in texts are replaced by these
_NUMBERS = ("NaN", "1e999", "-1", "1" + "0" * 30, "null", '"text"', "[]", "{}", "true")
KINDS = ("empty", "half", "last byte", "zeros", "bit", "bit in front", "bit at the end", "other file", "folder",
         "not utf-8", "number")  # fmt: skip
#: kinds for texts alone
_OF_TEXTS = ("not utf-8", "number")
TEXTS = (".json", ".jsonl", ".yaml", ".xml", ".txt")
_SECONDS = 60


def kinds_for(path):
    """The kinds of damage that a file can have."""
    return [kind for kind in KINDS if kind not in _OF_TEXTS or path.suffix in TEXTS]


def damage(path, kind, random, other):
    """Damage a file; False if that would leave it as it is.

    Args:
        path: the file.
        kind: one of `KINDS`.
        random: a `numpy.random.Generator`.
        other: another file, whose content "other file" puts there.
    """
    whole = path.read_bytes()
    if kind == "folder":
        path.unlink()
        path.mkdir()
        return True
    content = _damaged(whole, kind, random, other)
    path.write_bytes(content)
    return content != whole


def _damaged(whole, kind, random, other):
    if kind in ("empty", "half", "last byte"):
        return {"empty": b"", "half": whole[: len(whole) // 2], "last byte": whole[:-1]}[kind]
    if kind == "zeros":
        return bytes(len(whole))
    if kind == "other file":
        return other.read_bytes()
    if kind == "number":
        places = list(re.finditer(rb"(?<![\w.])-?\d+(\.\d+)?(e-?\d+)?(?![\w.])", whole))
        if not places:
            return whole
        place = places[random.integers(len(places))]
        return whole[: place.start()] + str(random.choice(_NUMBERS)).encode() + whole[place.end() :]
    first, last = {"bit in front": (0, 200), "bit at the end": (-200, None)}.get(kind, (0, None))
    numbers = range(len(whole))[first:last]
    if not numbers:
        return whole
    at = int(random.choice(numbers))
    changed = bytearray(whole)
    changed[at] = 0xFF if kind == "not utf-8" else changed[at] ^ (1 << int(random.integers(8)))
    return bytes(changed)


@contextlib.contextmanager
def undone(path):
    """A context after which a file is as it was."""
    whole = path.read_bytes()
    try:
        yield
    finally:
        if path.is_dir():
            shutil.rmtree(path)
        path.write_bytes(whole)


@contextlib.contextmanager
def in_time(seconds=_SECONDS):
    """A context that ends with an error if it takes longer."""

    def late(number, frame):
        raise TimeoutError(f"it took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def complaint(code, stderr):
    """What is wrong with how a command ended, or None."""
    lines = stderr.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    if code not in (0, 1, 2):
        return f"exit code {code}"
    if any("Traceback" in line for line in lines):
        return "a traceback"
    if len(errors) != (code != 0):
        return f"exit code {code} with {len(errors)} errors"
    if code and lines[-1] != errors[0]:
        return "lines after the error"
    return None
