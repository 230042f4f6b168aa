"""The peak of memory."""

from gluon_attn.utils.memory import peak


def test_the_peak_grows_with_what_is_held_and_stays():
    before = peak()
    held = bytearray(b"x") * (before + 2**26)  # more than all that was held so far
    assert peak() > before + 2**25
    del held
    assert peak() > before + 2**25
