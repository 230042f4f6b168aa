"""Which targets and which layout the options of an export mean, and whether each option has an effect."""

from collections.abc import Sequence

from ..deploy import targets
from ..deploy.precision import CALIBRATIONS
from ..deploy.repository import SERVERS, servable
from ..deploy.staging import LAYOUTS
from ..deploy.targets import ExportTarget
from ..utils.errors import UserError
from ..utils.log import get_logger


def several(values: str | Sequence[str] | None) -> list[str] | None:
    """The values as a list without repetitions; text is a single value, None stays None."""
    return [values] if isinstance(values, str) else None if values is None else list(dict.fromkeys(values))


def chosen_layout(layout: str | None, special: bool, no_check: bool) -> str:
    """The layout to write.

    Args:
        layout: What option layout says, or None.
        special: Whether an option is given that layout "files" does not have.
        no_check: Whether the files are not to be compared; layout "files" only.

    Raises:
        UserError: The layout is unknown, or another option does not go with it.
    """
    if layout not in (None, *LAYOUTS):
        raise UserError(f"option layout takes {' or '.join(LAYOUTS)}, got {layout!r}")
    chosen = layout or ("folders" if special else "files")
    if chosen == "files" and special:
        raise UserError("option layout files is for float32 symbol and ONNX files of a run alone: take folders")
    if chosen == "folders" and no_check:
        raise UserError("deploy bundles are always checked: leave option no_check out")
    return chosen


def chosen_targets(
    formats: list[str] | None, precisions: list[str] | None, for_speed: bool, servers: list[str]
) -> list[ExportTarget]:
    """The targets to write, or to choose the fastest from.

    Args:
        formats: Some of `targets.FORMATS`; None: symbol, or with `for_speed` all.
        precisions: Some of `targets.PRECISIONS`; None: float32, or with `for_speed` all.
        for_speed: Whether the fastest target is to be chosen from them.
        servers: Servers to write a model repository for.

    Raises:
        UserError: A name is unknown, or no target is left.
    """
    for server in servers:
        if server not in SERVERS:
            raise UserError(f"option repository takes {' or '.join(SERVERS)}, got {server!r}")
    if for_speed:
        formats, precisions = formats or list(targets.FORMATS), precisions or list(targets.PRECISIONS)
        found = targets.all_targets(formats, precisions) or targets.requested_targets(formats, precisions)[0]
    else:
        found, absent = targets.requested_targets(formats or ["symbol"], precisions or ["float32"])
        if absent:
            names = ", ".join(map(targets.absence, absent))
            get_logger().warning("left out, as there is no such target: %s", names)
    if servers:
        readable = servable(found)
        found = readable if for_speed else found  # the fastest one has to be one that servers read
    return found


def check_effects(
    wanted: list[ExportTarget],
    for_speed: bool,
    batch_size: int | None,
    calibration: str | None,
    calibration_images: int | None,
) -> None:
    """Check that each option has an effect on these targets.

    Args:
        wanted: The targets.
        for_speed: Whether the fastest one is to be chosen.
        batch_size: Option batch_size, None where it is not given.
        calibration: Option calibration, None where it is not given.
        calibration_images: Option calibration_images, None where it is not given.

    Raises:
        UserError: One has none.
    """
    if calibration not in (None, *CALIBRATIONS):
        raise UserError(f"option calibration takes {' or '.join(CALIBRATIONS)}, got {calibration!r}")
    if batch_size and not for_speed:
        raise UserError("option batch_size goes with option for_speed")
    int8 = {target.format for target in wanted if target.precision == "int8"}
    if (calibration_images or calibration) and not int8:
        raise UserError("option calibration and option calibration_images go with option precision int8")
    if calibration and "symbol" not in int8:
        raise UserError("option calibration is of MXNet's int8: it goes with option format symbol")
