"""Statistics and softmax in float32 inside a network of half precision."""

import numpy as np


class Wide:
    """Mixin of a HybridBlock that computes a part of itself in float32 once it was cast to a 16-bit type.

    float32 and float64 stay as they are. It goes by `cast`, since a traced graph does not know its input's type.
    """

    _half = None

    def cast(self, dtype):
        name = dtype if isinstance(dtype, str) else np.dtype(dtype).name
        self._half = name if name in ("float16", "bfloat16") else None
        super().cast(dtype)

    def widen(self, F, *arrays):
        """The arrays in float32, or as they are; a list, or the array itself where it is one."""
        wide = [F.cast(array, dtype="float32") for array in arrays] if self._half is not None else list(arrays)
        return wide if len(wide) > 1 else wide[0]

    def narrow(self, F, array):
        """Back to the block's own type."""
        return array if self._half is None else F.cast(array, dtype=self._half)
