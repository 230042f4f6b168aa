"""Files damaged as disks, copies and editors do it, and what a command says of them."""

import contextlib
import os
import re
import shutil
import signal

TEXTS = (".json", ".jsonl", ".yaml", ".xml", ".txt")
#: numbers in texts are replaced by these
_NUMBERS = ("NaN", "1e999", "-1", "1" + "0" * 30, "null", '"text"', "[]", "{}", "true")
_KINDS = ("empty", "half", "last byte", "zeros", "bit", "bit in front", "bit at the end", "other file", "folder")
_OF_TEXTS = ("not utf-8", "number")
_SECONDS = 60


def kinds_for(path):
    """The kinds of damage that a file can have."""
    unreadable = ["unreadable"] if os.geteuid() else []  # root reads everything
    return [*_KINDS, *unreadable, *(_OF_TEXTS if path.suffix in TEXTS else ())]


def damage(path, kind, random, other):
    """Damage a file.

    Args:
        path: the file.
        kind: one of `kinds_for`.
        random: a `numpy.random.Generator`.
        other: another file, whose content "other file" puts there.

    Returns:
        Whether its content changed; the end of a text's last line is none.
    """
    whole = path.read_bytes()
    if kind == "folder":
        path.unlink()
        path.mkdir()
    elif kind == "unreadable":
        path.chmod(0)
    else:
        content = _damaged(whole, kind, random, other)
        path.write_bytes(content)
        return content != whole and not (path.suffix in TEXTS and content == whole.rstrip(b"\n"))
    return True


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
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        path.write_bytes(whole)


@contextlib.contextmanager
def in_time():
    """A context that ends with an error if it takes longer than a minute."""

    def late(number, frame):
        raise TimeoutError(f"it took more than {_SECONDS} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def complaint(code, stderr):
    """What is wrong with how a command ended, or None: it must end with 0, or with 1 or 2 and one line."""
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
