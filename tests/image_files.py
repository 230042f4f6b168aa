"""Image files of every format and mode that is read, each with the 8-bit RGB pixels that it stands for.

The pixels are computed in NumPy from what was written, so that no decoder checks itself; those of lossy formats are
Pillow's.
"""

import io
import struct

import cv2
import numpy as np
from PIL import Image

HEIGHT, WIDTH = 20, 27


def rgb():
    """A smooth picture in which no rows, columns or channels are alike."""
    noise = np.random.default_rng(5).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2.5), None, 0, 255, cv2.NORM_MINMAX)


PIXELS = rgb()
GRAY = PIXELS[..., 1]
ALPHA = PIXELS[..., 2]
#: two colors, and a palette of four
BITS = GRAY > 128
INDICES = (GRAY // 64).astype(np.uint8)
PALETTE = np.array([(250, 10, 20), (0, 0, 0), (30, 200, 90), (7, 77, 177)], np.uint8)


def encoded(image, kind, **options):
    """The bytes of an image file by Pillow."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def by_opencv(ending, pixels):
    """The bytes of an image file by OpenCV, which also writes 16 bits per channel in color."""
    last = [2, 1, 0, 3][: pixels.shape[2]] if pixels.ndim == 3 else ...
    return cv2.imencode(ending, np.ascontiguousarray(pixels[..., last] if pixels.ndim == 3 else pixels))[1].tobytes()


def gray(levels):
    return np.repeat(levels.astype(np.uint8)[..., None], 3, axis=2)


def on_white(pixels, alpha):
    """Each pixel between white and its color, to the nearest level."""
    share = alpha[..., None] / 255
    return np.floor(pixels * share + 255 * (1 - share) + 0.5).astype(np.uint8)


def wide(levels):
    """16 bits that stand for the same 8, with other low bits."""
    return levels.astype(np.uint16) << 8 | np.random.default_rng(6).integers(0, 256, levels.shape, dtype=np.uint16)


def palette_image(transparency=None):
    image = Image.fromarray(INDICES, "P")
    image.putpalette(PALETTE.tobytes())
    return image


def tiff(values, bits, kind=1, photometric=1):
    """An uncompressed gray TIFF file: `values` are the packed rows, `kind` is 1 unsigned, 2 signed or 3 float."""
    data = values if isinstance(values, bytes) else values.tobytes()
    tags = [(256, WIDTH), (257, HEIGHT), (258, bits), (259, 1), (262, photometric), (273, 8), (277, 1), (278, HEIGHT),
            (279, len(data)), (339, kind)]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", number, 4, 1, value) for number, value in tags)
    return (
        struct.pack("<2sHI", b"II", 42, 8 + len(data))
        + data
        + struct.pack("<H", len(tags))
        + entries
        + struct.pack("<I", 0)
    )


def twelve_bits():
    """The rows of `GRAY` with 12 bits per pixel, of which the last four are the first again."""
    rows = []
    for row in GRAY:
        text = "".join(f"{level:08b}{level >> 4:04b}" for level in row)
        text += "0" * (-len(text) % 8)
        rows.append(bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8)))
    return b"".join(rows)


def lossless():
    """name -> (bytes, pixels (H, W, 3) uint8 RGB) that must be met exactly."""
    color, level, cover = Image.fromarray(PIXELS), Image.fromarray(GRAY), Image.fromarray(ALPHA)
    clear = Image.merge("RGBA", (*color.split(), cover))
    pale = Image.merge("LA", (level, cover))
    two = Image.fromarray(BITS)
    listed, shown = palette_image(), PALETTE[INDICES]
    seen = np.array([255, 0, 128, 255], np.uint8)  # alpha of the palette's colors
    other = Image.fromarray(PIXELS[::-1].copy())
    keyed = tuple(PIXELS[3, 4].tolist())
    key = np.where((PIXELS[3, 4] == PIXELS).all(2), 0, 255)
    plain, flat, white, half = PIXELS, gray(GRAY), on_white(PIXELS, ALPHA), on_white(gray(GRAY), ALPHA)
    found = {
        "1.png": (encoded(two, "PNG"), gray(BITS * 255)),
        "l.png": (encoded(level, "PNG"), flat),
        "la.png": (encoded(pale, "PNG"), half),
        "p.png": (encoded(listed, "PNG"), shown),
        "p-alpha.png": (encoded(listed, "PNG", transparency=seen.tobytes()), on_white(shown, seen[INDICES])),
        "p-key.png": (encoded(listed, "PNG", transparency=2), on_white(shown, np.where(INDICES == 2, 0, 255))),
        "rgb.png": (encoded(color, "PNG"), plain),
        "rgb-key.png": (encoded(color, "PNG", transparency=keyed), on_white(PIXELS, key)),
        "l-key.png": (encoded(level, "PNG", transparency=int(GRAY[3, 4])),
                      on_white(flat, np.where(GRAY[3, 4] == GRAY, 0, 255))),
        "rgba.png": (encoded(clear, "PNG"), white),
        "rgba-opaque.png": (encoded(color.convert("RGBA"), "PNG"), plain),
        "l16.png": (encoded(Image.fromarray(wide(GRAY)), "PNG"), flat),
        "rgb16.png": (by_opencv(".png", wide(PIXELS)), plain),
        "rgba16.png": (by_opencv(".png", wide(np.dstack([PIXELS, ALPHA]))), white),
        "animated.png": (encoded(color, "PNG", save_all=True, append_images=[other]), plain),
        "1.bmp": (encoded(two, "BMP"), gray(BITS * 255)),
        "l.bmp": (encoded(level, "BMP"), flat),
        "p.bmp": (encoded(listed, "BMP"), shown),
        "rgb.bmp": (encoded(color, "BMP"), plain),
        "rgb.webp": (encoded(color, "WEBP", lossless=True), plain),
        "rgba.webp": (encoded(clear, "WEBP", lossless=True, exact=True), white),
        "animated.webp": (encoded(color, "WEBP", lossless=True, save_all=True, append_images=[other]), plain),
        "p.gif": (encoded(listed, "GIF"), shown),
        "l.gif": (encoded(level, "GIF"), flat),
        "p-key.gif": (encoded(listed, "GIF", transparency=2), on_white(shown, np.where(INDICES == 2, 0, 255))),
        "animated.gif": (encoded(listed, "GIF", save_all=True, append_images=[listed.transpose(1)]), shown),
        "1.tif": (encoded(two, "TIFF", compression="group4"), gray(BITS * 255)),
        "l.tif": (encoded(level, "TIFF"), flat),
        "la.tif": (encoded(pale, "TIFF"), half),
        "p.tif": (encoded(listed, "TIFF"), shown),
        "rgb.tif": (encoded(color, "TIFF", compression="tiff_lzw"), plain),
        "rgb.tiff": (encoded(color, "TIFF", compression="tiff_adobe_deflate"), plain),
        "rgba.tif": (encoded(clear, "TIFF"), white),
        "pages.tif": (encoded(color, "TIFF", save_all=True, append_images=[other]), plain),
        "l12.tif": (tiff(twelve_bits(), 12), flat),
        "l16-little.tif": (tiff(wide(GRAY).astype("<u2"), 16), flat),
        "l16-big.tif": (encoded(Image.frombytes("I;16B", (WIDTH, HEIGHT), wide(GRAY).astype(">u2").tobytes()), "TIFF"),
                        flat),
        "l16-negative.tif": (tiff(wide(255 - GRAY).astype("<u2"), 16, photometric=0), flat),
        "rgb16.tif": (by_opencv(".tif", wide(PIXELS)), plain),
        "float.tif": (tiff((GRAY / 255).astype("<f4"), 32, kind=3), flat),
        "float-levels.tif": (tiff(GRAY.astype("<f4"), 32, kind=3), flat),
        "integers.tif": (tiff(GRAY.astype("<i4"), 32, kind=2), flat),
    }  # fmt: skip
    for number in range(2, 9):
        found |= turned(color, number)
    return found


def turned(image, orientation):
    """Files whose EXIF entry, beside one that cannot be written anew, says how to turn them."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    steps = {2: [0], 3: [3], 4: [1], 5: [5], 6: [4], 7: [6], 8: [2]}[orientation]
    want = image
    for step in steps:
        want = want.transpose(Image.Transpose(step))
    want = np.asarray(want)
    return {
        f"turned-{orientation}.png": (encoded(image, "PNG", exif=exif), want),
        f"turned-{orientation}.webp": (encoded(image, "WEBP", lossless=True, exif=exif), want),
        f"turned-{orientation}.tif": (encoded(image, "TIFF", tiffinfo={0x0112: orientation}), want),
    }


def lossy():
    """name -> (bytes, pixels (H, W, 3) uint8 RGB by Pillow)."""
    color = Image.fromarray(PIXELS)
    files = {
        "rgb.jpg": encoded(color, "JPEG", quality=90),
        "full.jpeg": encoded(color, "JPEG", subsampling=0),
        "progressive.jpg": encoded(color, "JPEG", progressive=True),
        "l.jpg": encoded(color.convert("L"), "JPEG"),
        "cmyk.jpg": encoded(color.convert("CMYK"), "JPEG"),
        "lossy.webp": encoded(color, "WEBP", quality=80),
        "jpeg.tif": encoded(color, "TIFF", compression="jpeg"),
    }
    return {name: (data, np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))) for name, data in files.items()}
