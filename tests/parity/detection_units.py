"""Golden cases of single operators of detection."""

import numpy as np

from gluon_attn.data import rle
from gluon_attn.detect import paste

CLOSE = 1e-4  # probabilities this near to one half may fall on the other side


def check_paste(case):
    """Masks of 28 x 28 in the image: probabilities, pixels, and the same pixels as RLE."""
    size = tuple(case.config["image"])
    pasted = np.stack(list(paste.paste_all(case.data["in/prob"], case.data["in/boxes"], size)))
    case.agrees("prob", pasted)
    bits = pasted > paste.THRESHOLD
    differ = bits != case.masks("bits", bits.shape)
    assert not (differ & (np.abs(case.data["prob"] - 0.5) > CLOSE)).any()
    encoded = paste.encode_all(case.data["in/prob"], case.data["in/boxes"], size)
    assert (np.stack([rle.to_mask(one) for one in encoded]) == bits).all()


#: id of a case, or what it begins with -> its check
CHECKS = {"unit_paste": check_paste}
