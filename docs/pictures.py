"""Makes the pictures of docs/tutorial.md from the files that its commands have written.

    python docs/pictures.py FOLDER

FOLDER is where the commands were run. Sections of HTML pages are photographed by a headless Chromium.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

OUTPUT = Path(__file__).parent / "tutorial"
_RUNS = ("2 training runs", "Scores", "Curves")
#: picture -> (page, headings of the sections that are kept, width and height of the window)
PAGES = {
    "compare": ("studies/attentions/report.html", ("What can be concluded", "Methods", "Differences"), 1180, 1000),
    "sweep": ("studies/sweep/report.html", ("Parallel coordinates",), 1180, 700),
    "report": ("report.html", _RUNS, 1280, 2400),
    "report-phone": ("report.html", _RUNS, 390, 3000),
}
#: picture -> file
FILES = {"inspect": "inspect/cbam/images/digit3.png", "network": "runs/where/search/network.png"}
WIDTH, COLOURS = 1000, 256


def photograph(page: Path, headings: tuple[str, ...], width: int, height: int) -> Image.Image:
    """The first section of a page under each of some headings, as a browser shows them on white."""
    text, left = page.read_text(encoding="utf-8"), list(headings)
    for section in re.findall(r"<section>.*?</section>", text, re.DOTALL):
        heading = re.search(r"<h\d>(.*?)</h\d>", section)[1]
        if heading in left:
            left.remove(heading)
        else:
            text = text.replace(section, "")
    if len(headings) == 1:
        text = re.sub(r"<h1>.*?</p>", "", text, count=1, flags=re.DOTALL)
    with tempfile.TemporaryDirectory() as folder:
        part, picture = Path(folder, "part.html"), Path(folder, "picture.png")
        part.write_text(text, encoding="utf-8")
        command = ["chromium", "--headless", "--no-sandbox", "--hide-scrollbars", f"--window-size={width},{height}"]
        subprocess.run([*command, f"--screenshot={picture}", part.as_uri()], check=True, capture_output=True)
        return Image.open(picture).convert("RGB")


def small(image: Image.Image) -> Image.Image:
    """At most `WIDTH` wide, without empty rows below, with few colours."""
    image = image.convert("RGB")
    if image.width > WIDTH:
        image = image.resize((WIDTH, round(image.height * WIDTH / image.width)), Image.Resampling.LANCZOS)
    rows = image.convert("L").point(lambda value: 255 * (value < 250)).getbbox()
    image = image.crop((0, 0, image.width, min(image.height, rows[3] + 20)))
    return image.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)


def main(folder: Path) -> None:
    """Write all pictures."""
    OUTPUT.mkdir(exist_ok=True)
    images = {name: photograph(folder / page, *how) for name, (page, *how) in PAGES.items()}
    images |= {name: Image.open(folder / file) for name, file in FILES.items()}
    for name, image in images.items():
        small(image).save(OUTPUT / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
