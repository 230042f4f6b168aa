"""What all pictures share: colours, ticks, legends, and how matplotlib figures are written."""

import base64
import io
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import Formatter, LogFormatter, MaxNLocator

from ..utils.files import write_bytes
from ..utils.printable import printable

#: Okabe & Ito's palette, which colour-blind readers tell apart, without its yellow
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#000000")
#: what matplotlib would otherwise write into an SVG: the date, and its own address
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


class _DecimalFormatter(LogFormatter):
    """`LogFormatter`, which leaves out labels where they would be too many, with decimals: 10, 1, 0.1, 0.01.

    Within a decade all ticks have as many decimals: 0.8, 1.0, 1.2.
    """

    def __call__(self, x: float, pos: int | None = None) -> str:
        if not super().__call__(x, pos):
            return ""
        low, high = sorted(cast(Axis, self.axis).get_view_interval())
        if high < 10 * low:
            return f"{x:.{_most_decimals(cast(Axis, self.axis))}f}"
        return np.format_float_positional(x, precision=6, trim="-", fractional=False)


class _PercentFormatter(Formatter):
    """Shares of 1 in per cent, all with as many decimals."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return f"{100 * x:.{_most_decimals(cast(Axis, self.axis), 100)}f}%"


def _most_decimals(axis: Axis, factor: float = 1) -> int:
    """The most decimals that a tick times `factor` needs, at 4 significant digits."""
    low, high = sorted(axis.get_view_interval())
    ticks = [tick for minor in (False, True) for tick in axis.get_ticklocs(minor=minor) if low <= tick <= high]
    texts = (np.format_float_positional(factor * tick, precision=4, trim="-", fractional=False) for tick in ticks)
    return max((len(text.partition(".")[2]) for text in texts), default=0)


def label_percent_axis(axis: Axis) -> None:
    """Write the ticks of an axis of shares in per cent, all in the same form."""
    axis.set_major_formatter(_PercentFormatter())


def label_logarithmic_axis(axis: Axis) -> None:
    """Write the ticks of a logarithmic axis as decimals, all in the same form."""
    axis.set_major_formatter(_DecimalFormatter())
    axis.set_minor_formatter(_DecimalFormatter())


def integer_ticks(axis: Axis) -> None:
    """Put ticks at integers only, be it a single one."""
    cast(MaxNLocator, axis.get_major_locator()).set_params(integer=True, min_n_ticks=1)


def legend_below(figure: Figure, handles: Sequence[Artist] = (), columns: int = 6) -> None:
    """Put the legend below everything else, where it covers nothing.

    Args:
        figure: with the layout "constrained".
        handles: what is named (default: all that has a label).
        columns: of the legend, at most.
    """
    known = list(handles) or [one for axes in figure.axes for one in axes.get_legend_handles_labels()[0]]
    figure.legend(handles=known, loc="outside lower center", ncols=max(1, min(columns, len(known))), frameon=False)


def legend_under(axes: Axes, **options: float) -> None:
    """Put the legend of a panel below it, where it covers nothing."""
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(0, -0.3), borderaxespad=0, **options)


def save_png(figure: Figure, path: str | Path) -> None:
    """Write a matplotlib figure to `path`, whole or not at all."""
    _as_plain_text(figure)
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer)
    write_bytes(path, buffer.getvalue())


def svg_text(figure: Figure) -> str:
    """A matplotlib figure as SVG text for a page, the same for the same figure."""
    _as_plain_text(figure)
    figure.patch.set_alpha(0)  # the page shows through, light or dark
    for axes in figure.axes:
        axes.patch.set_alpha(0)
    text = io.StringIO()
    with rc_context({"svg.hashsalt": "gluon_attn"}):
        FigureCanvasSVG(figure).print_svg(text, metadata=_NO_METADATA)
    return "<svg" + text.getvalue().partition("<svg")[2].replace("#000000", "currentColor")


def _as_plain_text(figure: Figure) -> None:
    """Write texts as they are: in names of classes and runs, dollar signs do not enclose formulas."""
    for text in cast(list[Text], figure.findobj(Text)):
        text.set_parse_math(False)
        text.set_text("\n".join(map(printable, text.get_text().split("\n"))))


def raster_text(png: bytes) -> str:
    """A PNG file inside of SVG text, for a page: photographs, and pictures of very many points."""
    width, height = struct.unpack(">II", png[16:24])
    data = base64.b64encode(png).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
        f'<image width="{width}" height="{height}" href="data:image/png;base64,{data}"/></svg>'
    )


def line_sign(color: str, linestyle: str) -> str:
    """SVG text of a piece of a curve, for the legend of a page's panels."""
    dashes = {"-": "", "--": ' stroke-dasharray="7 3"', ":": ' stroke-dasharray="2 3"'}[linestyle]
    color = "currentColor" if color == "#000000" else color
    return (
        f'<svg viewBox="0 0 32 10"><path d="M1 5H31" stroke="{color}" stroke-width="2.2"{dashes}/>'
        f'<circle cx="16" cy="5" r="3" fill="{color}"/></svg>'
    )
