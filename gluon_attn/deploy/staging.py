"""Exported files are written to a scratch folder, verified, and then moved: all of them or none."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from ..utils.errors import UserError
from ..utils.exclusive import exclusive
from ..utils.files import atomic_path, ensure_dir
from .targets import ExportTarget

LAYOUTS = ("files", "folders")
#: target -> (folder to write to, folder that the files will be in)
Place = Callable[[ExportTarget], tuple[Path, Path]]


@contextlib.contextmanager
def staged(output: Path, layout: str) -> Iterator[Place]:
    """Yield a function that says where a target is written; on success all targets are moved to `output`.

    Args:
        output: The folder that holds what is exported.
        layout: "files": all targets side by side in `output`. "folders": each in a folder of its own in there, such as
            output/openvino-int8; one that is there already is replaced.

    Raises:
        UserError: `output` cannot be written to, or another export writes to it.
    """
    with sole_export(output), contextlib.ExitStack() as folders:
        if layout == "files":
            both = folders.enter_context(_staged_files(output))
            yield lambda target: both
            return

        def place(target: ExportTarget) -> tuple[Path, Path]:
            scratch = folders.enter_context(atomic_path(output / str(target)))
            scratch.mkdir()
            return scratch, output / str(target)

        yield place


def sole_export(output: Path | str) -> contextlib.AbstractContextManager[None]:
    """A context in which no other export writes to the folder `output`; `UserError` where one does."""
    return exclusive(output, f"another export writes to {output}: wait for it, or choose another option output")


@contextlib.contextmanager
def _staged_files(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Yield (scratch folder, `folder`); on success the files in the first move to the second."""
    existed = folder.exists()
    folder = ensure_dir(folder)
    scratch = Path(tempfile.mkdtemp(prefix=".export.", dir=folder))
    try:
        yield scratch, folder
        files = sorted(scratch.iterdir())
        for file in files:
            if (folder / file.name).is_dir():
                raise UserError(f"cannot write {folder / file.name}: it is a folder; choose another option output")
        for file in files:
            with atomic_path(folder / file.name) as target:
                os.replace(file, target)
    except OSError as error:
        raise UserError(f"cannot write to {folder}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        if not existed:
            with contextlib.suppress(OSError):  # not empty: all went well
                folder.rmdir()
