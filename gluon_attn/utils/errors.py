"""The errors that end a command with one line instead of a traceback, and such a line for errors in code of others."""

import errno
import importlib
import os
import re
import sys
import traceback
from pathlib import Path

_PACKAGE = str(Path(__file__).resolve().parents[1])
#: libraries below the code of others: their lines are not where it fails
_BELOW = ("mxnet", "numpy")

#: numbers of an `OSError` of a disk, or a quota, that is full
FULL_DISK = (errno.ENOSPC, errno.EDQUOT)


class UserError(Exception):
    """Something that the user can correct. The message is one line that says what to do; commands exit with 2.

    A message that names an option writes `option NAME`; the command line replaces that by the flag.
    """


class TrainingError(Exception):
    """A run that cannot continue (NaN loss, too many unreadable images). Commands exit with 1."""


class WriteError(UserError):
    """A file or folder that cannot be written, which is as before. During training commands exit with 1."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C in a run that can be resumed; the message says how, and a command completes it.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(f"interrupted; option run_dir {folder} with option resume auto goes on")
        self.folder = folder


class PeerError(TrainingError):
    """Another process of the run has ended or cannot be reached.

    What MXNet was computing has failed in several of its threads at once, and it may crash when Python ends as usual:
    commands end at once with 1.
    """


def reason(error: BaseException) -> str:
    """What went wrong in code of others, and in which of its lines.

    Args:
        error: what it raised.

    Returns:
        One line.
    """
    lines = str(error).strip().splitlines() or [""]
    said = lines[-1 if lines[0].startswith("Traceback") else 0].strip()  # MXNet's errors begin with a traceback
    if isinstance(error, UserError):
        return said
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_below(frame.filename)]
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    where = "" if isinstance(error, SyntaxError) else where  # which says so itself
    if isinstance(error, ValueError) and said:
        return f"{said}{where}"
    return f"{type(error).__name__}{': ' if said else ''}{said}{where}"


def engine_reason(error: BaseException) -> str:
    """What MXNet, ONNX Runtime or OpenVINO says is wrong, in one line without its source file and condition.

    Args:
        error: what it raised.
    """
    text = str(error).strip() or type(error).__name__
    checked = re.search(r"Check failed: (?:.*?: )?(.+)", text)
    return (checked[1] if checked else text.splitlines()[-1]).strip()


def _is_below(filename: str) -> bool:
    """Whether a file belongs to this package, to MXNet or to what imports modules."""
    files = [importlib.__file__, *(sys.modules[name].__file__ for name in _BELOW if name in sys.modules)]
    folders = [_PACKAGE, *(str(Path(file).parent) for file in files if file)]
    return filename.startswith(("<frozen", *(folder + os.sep for folder in folders)))
