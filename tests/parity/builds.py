"""How the references' constructor arguments map to our blocks, one function a `config.build`.

A function takes the case's arguments, which it empties (what it leaves is an argument that nobody maps, an error), and
the case; it gives a `Built`. Dropout is off, as in the cases.
"""

import module_builds
import network_builds
import search_builds

BUILDS = {**module_builds.BUILDS, **network_builds.BUILDS, **search_builds.BUILDS}
#: build -> why its cases are not collected yet
PENDING = {"none": "a search by controller, and label smoothing"}


def is_pending(case):
    """Whether the case is of something that the library does not have yet."""
    return case.build in PENDING


#: special calls that the builds provide for
CALLS = {None, "cell", "codes", "drop", "lstm", "stage", "weights"}


def make(case):
    """The `Built` of a case; one that is not known here fails."""
    assert case.call in CALLS, f"{case}: builds.py does not know the call {case.call!r}"
    assert case.build in BUILDS, f"{case}: builds.py does not know the build {case.build!r}"
    args = dict(case.args)
    built = BUILDS[case.build](args, case)
    assert not args, f"{case}: nothing here maps the arguments {args}"
    return built
