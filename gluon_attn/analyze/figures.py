"""What all pictures share: colours, ticks of logarithmic axes, and how matplotlib figures are written."""

import base64
import io
import struct
from pathlib import Path
from typing import cast

import numpy as np
from matplotlib import rc_context
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import LogFormatter, MaxNLocator

from ..utils.files import write_bytes
from ..utils.printable import printable

#: Okabe & Ito's palette, which colour-blind readers tell apart, without its yellow
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#000000")
#: what matplotlib would otherwise write into an SVG: the date, and its own address
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


class _DecimalFormatter(LogFormatter):
    """`LogFormatter`, which leaves out labels where they would be too many, with decimals: 10, 1, 0.1, 0.01."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return (
            np.format_float_positional(x, precision=6, trim="-", fractional=False) if super().__call__(x, pos) else ""
        )


def label_logarithmic_axis(axis: Axis) -> None:
    """Write the ticks of a logarithmic axis as decimals, all in the same form."""
    axis.set_major_formatter(_DecimalFormatter())
    axis.set_minor_formatter(_DecimalFormatter())


def integer_ticks(axis: Axis) -> None:
    """Put ticks at integers only."""
    cast(MaxNLocator, axis.get_major_locator()).set_params(integer=True)


def save_png(figure: Figure, path: str | Path) -> None:
    """Write a matplotlib figure to `path`, whole or not at all."""
    _as_plain_text(figure)
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer)
    write_bytes(path, buffer.getbuffer())


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
