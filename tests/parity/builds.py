"""How the references' constructor arguments map to our blocks, one function for each `config.build`.

A function gets the case's arguments and the case, and returns a `Built`. It removes each argument that it maps; one
that is left is an error. Dropout is off, as in the cases.
"""

import module_builds
import network_builds
import search_builds
from built import Built
from golden import Case

BUILDS = {**module_builds.BUILDS, **network_builds.BUILDS, **search_builds.BUILDS}
#: build -> why its cases are not collected yet
PENDING = {"none": "a search by controller, and label smoothing"}


def is_pending(case: Case) -> bool:
    """Return whether the case is of something that the library does not have yet."""
    return case.build in PENDING


#: special calls that the builds provide for
CALLS = {None, "cell", "codes", "drop", "lstm", "stage", "weights"}


def make(case: Case) -> Built:
    """Build a case; one that is not known here fails."""
    assert case.call in CALLS, f"{case}: builds.py does not know the call {case.call!r}"
    assert case.build in BUILDS, f"{case}: builds.py does not know the build {case.build!r}"
    args = dict(case.args)
    built = BUILDS[case.build](args, case)
    assert not args, f"{case}: nothing here maps the arguments {args}"
    return built
