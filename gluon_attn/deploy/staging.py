"""Exported files are written to a scratch folder, verified, and then moved: all of them or none."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from ..utils.errors import UserError
from ..utils.exclusive import exclusive
from ..utils.files import ensure_dir, scratch_folder
from ..utils.rename import install
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
    with sole_export(output), contextlib.ExitStack() as stack:
        if layout == "files":
            both = stack.enter_context(_staged_files(output))
            yield lambda target: both
            return
        scratch = stack.enter_context(scratch_folder(output, output))
        folders: dict[Path, Path] = {}  # where it is written -> where it will be

        def place(target: ExportTarget) -> tuple[Path, Path]:
            written = ensure_dir(scratch / str(target))
            folders[written] = output / str(target)
            return written, folders[written]

        yield place
        install(list(folders), list(folders.values()))


def sole_export(output: Path | str) -> contextlib.AbstractContextManager[None]:
    """A context in which no other export writes to the folder `output`; `UserError` where one does."""
    return exclusive(output, f"another export writes to {output}: wait for it, or choose another option output")


@contextlib.contextmanager
def _staged_files(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Yield (scratch folder, `folder`); on success the files in the first move to the second."""
    with scratch_folder(folder, folder) as scratch:
        written = ensure_dir(scratch / "files")
        yield written, folder
        files = sorted(written.iterdir())
        for file in files:
            if (folder / file.name).is_dir():
                raise UserError(f"cannot write {folder / file.name}: it is a folder; choose another option output")
        install(files, [folder / file.name for file in files])
