"""From exceptions to exit codes: 0 done, 1 training failed, 2 the user can put it right, 130 Ctrl-C."""

import io
import os
import shlex
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from ..utils.errors import FULL_DISK, Interrupted, PeerError, TrainingError, UserError
from ..utils.interrupts import raised_again
from ..utils.log import to_terminal
from ..utils.progress import close_all
from .spelling import with_flags

_INTERRUPTED, _BROKEN_PIPE = 130, 141  # 128 + SIGINT, 128 + SIGPIPE, as a shell reports them


def guarded(
    function: Callable[[list[str]], int | None], argv: Sequence[str] | None = None, program: str = "gluon-attn"
) -> int:
    """Run a command and turn its exceptions into exit codes.

    `UserError`, `TrainingError` and a full disk are one line on stderr. Any other exception is a bug of this package
    and keeps its traceback.

    Args:
        function: takes the words of the command line, returns the exit code (None: 0).
        argv: the words after the program's name (default: those of this process).
        program: what begins a command line, before these words.

    Returns:
        The exit code.
    """
    to_terminal()
    if isinstance(sys.stdout, io.TextIOWrapper):  # names of files may have what the terminal's encoding has not
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        with raised_again(KeyboardInterrupt, signal.SIGINT):
            code = function(sys.argv[1:] if argv is None else list(argv)) or 0
        sys.stdout.flush()
        return code
    except UserError as error:
        return _fail(error, 2)
    except PeerError as error:
        _fail(error, 1)
        sys.stdout.flush()
        os._exit(1)
    except TrainingError as error:
        return _fail(error, 1)
    except Interrupted as interrupt:
        words = sys.argv[1:] if argv is None else list(argv)
        return _fail(f"interrupted; to resume: {resuming(program, words, interrupt.folder)}", _INTERRUPTED)
    except KeyboardInterrupt as interrupt:
        return _fail(str(interrupt) or "interrupted", _INTERRUPTED)
    except BrokenPipeError:  # the reader is gone (`| head`)
        _silence_stdout()
        return _BROKEN_PIPE
    except OSError as error:
        if error.errno not in FULL_DISK:  # the output, or a temporary file of a library
            raise
        _silence_stdout()
        return _fail(f"cannot write {error.filename or 'the output'}: {error.strerror}; make room and try again", 2)
    except SystemExit as stop:  # argparse: --help, or an error that it has printed
        if isinstance(stop.code, str):
            return _fail(stop.code, 1)
        return stop.code or 0


def resuming(program: str, words: Sequence[str], folder: Path) -> str:
    """The command line that resumes what another one began: with other words for folder and resuming.

    Args:
        program: what begins a command line.
        words: the words after it.
        folder: of the run.
    """
    kept: list[str] = []
    rest = iter(words)
    for word in rest:
        name, equals, _ = word.replace("_", "-").partition("=")
        if name not in ("--run-dir", "--resume"):
            kept.append(word)
        elif not equals:
            next(rest, None)
    script = program.removeprefix("python ")
    if program != script and Path(sys.argv[0]).name == script:  # by the path that it was called by
        program = f"python {shlex.quote(sys.argv[0])}"
    return f"{program} {shlex.join([*kept, '--run-dir', str(folder), '--resume', 'auto'])}"


def _silence_stdout():
    """Give Python's last flush somewhere to go."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message, code):
    close_all()
    print(f"error: {with_flags(' '.join(str(message).split()))}", file=sys.stderr, flush=True)
    return code
