"""What option resume names: the newest checkpoint of a run, or one by its name or its path."""

import re
from pathlib import Path
from typing import Any

from ..checkpoint import read_meta
from ..utils.errors import UserError
from ..utils.files import epoch_number, epochs
from ..utils.paths import expanded
from .folder import RunFolder
from .options import Options

AUTO = "auto"
_NAME = re.compile(r"epoch[-_](\d{1,9})(\.pth)?")
_OTHERS = (".pth", ".pt", ".ckpt")


def resolved(options: Options) -> tuple[Options, int | None]:
    """The options with option run_dir naming the run whose checkpoint option resume names by a path.

    Checkpoints are named as they are, epoch-0005, or in short: epoch_5, in the run folder or in its folder of
    checkpoints.

    Args:
        options: option resume is given.

    Returns:
        (options, number of finished epochs of the checkpoint; None: the newest).

    Raises:
        UserError: it names none, or what is no checkpoint of a run; another run than option run_dir.
    """
    config = options.config()
    value = config.train.resume
    if value == AUTO:
        return options, None
    path = Path(expanded(value))
    _refuse_file(path)
    name = _NAME.fullmatch(path.name)
    if name:
        folder = path.parent.parent if path.parent.name == RunFolder("").checkpoints.name else path.parent
        number: int | None = int(name[1])
        named = len(path.parts) > 1
    elif RunFolder(path).holds_run:
        folder, number, named = path, None, True
    elif len(path.parts) > 1 and not path.exists():
        raise UserError(f"option resume: {value} does not exist; name a run folder, or a checkpoint in it")
    else:
        raise UserError(
            f"option resume takes auto, got {value!r}; or a run folder or its checkpoint, such as "
            "RUN/checkpoints/epoch-0005, or epoch_5 beside option run_dir"
        )
    return (_of_run(options, config, folder) if named else options), number


def _of_run(options: Options, config: Any, folder: Path) -> Options:
    given = config.train.run_dir
    if given and Path(given).resolve() != folder.resolve():
        raise UserError(f"option resume names the run in {folder}, option run_dir the one in {given}: leave one out")
    return options.override("train.run_dir", given or str(folder))


def _refuse_file(path: Path) -> None:
    """`UserError` for a file: a checkpoint of ours is a folder."""
    if not path.is_file():
        return
    if path.suffix in _OTHERS:
        raise UserError(
            f"{path} is a checkpoint of another program, whose training cannot be resumed here: convert its weights "
            f"(gluon-attn convert {path} net.params --source NAME) and start with option pretrained net.params"
        )
    raise UserError(f"{path} is a file, a checkpoint is a folder: weights to start from go to option pretrained")


def check_is_newest(folder: RunFolder, number: int) -> None:
    """Check that a run can be resumed from one of its checkpoints, so that nothing later is written over.

    Args:
        folder: of the run.
        number: finished epochs of the checkpoint.

    Raises:
        UserError: there is no such checkpoint, it is damaged, or there are later ones.
    """
    paths = {epoch_number(path): path for path in epochs(folder.checkpoints)}
    if number not in paths:
        kept = ", ".join(path.name for path in paths.values()) or "none"
        raise UserError(f"{folder} has no checkpoint of epoch {number}; it has {kept}")
    read_meta(paths[number])
    later = [path.name for one, path in paths.items() if one > number]
    if later:
        raise UserError(
            f"{folder} has checkpoints after {paths[number].name}, which would be written over ({', '.join(later)}): "
            "give option resume auto to resume from the newest, or move them away"
        )
