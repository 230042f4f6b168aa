"""Names that NumPy has removed come back, and mean what they meant."""

import types

import numpy as np
import pytest

from gluon_attn.deploy.detector_program import REMOVED
from gluon_attn.utils.numpy_names import removed_names, restore_names

#: what a NumPy 2 has that the names are made from
KEPT = ("inf", "nan", "all", "any", "prod", "round", "trapezoid", "isin", "ravel", "sort")


def numpy_2(**more):
    """A stand-in for NumPy 2 without what it has removed."""
    kept = {name: getattr(np, name, None) for name in KEPT}
    return types.SimpleNamespace(__version__="2.4.6", **kept, **more)


def test_names_of_numpy_1_are_those_of_python():
    old = types.SimpleNamespace(__version__="1.26.4", str=str)
    assert removed_names(old) == {"bool": bool, "int": int, "float": float, "object": object, "complex": complex}


def test_what_is_there_stays():
    module = numpy_2(bool=np.bool_, in1d="own")
    restored = restore_names(module)
    assert (module.bool, module.in1d) == (np.bool_, "own")
    assert {"int", "Inf", "msort", "npv"} <= set(restored)
    assert set(REMOVED.split()) - {"in1d"} <= set(restored)  # exported programs put them back themselves
    assert not {"bool", "in1d"} & set(restored)
    assert restore_names(module) == []


def test_values_are_those_of_numpy_1():
    module = numpy_2()
    restore_names(module)
    assert (np.inf, -np.inf, 0) == (module.PINF, module.NINF, module.PZERO)
    assert np.signbit(module.NZERO)
    assert np.isnan(module.NaN)
    assert isinstance("", module.compat.basestring)
    assert module.in1d([[1, 2], [3, 4]], [2, 4]).tolist() == [False, True, False, True]
    assert module.in1d([1, 2], [2], invert=True).tolist() == [True, False]
    assert module.msort(np.array([[3, 1], [2, 5]])).tolist() == [[2, 1], [3, 5]]
    assert (module.sometrue([0, 1]), module.alltrue([0, 1]), module.product([2, 3])) == (True, False, 6)
    with pytest.raises(RuntimeError, match="NumPy has no npv any more"):
        module.npv(0.1, [1, 2])
