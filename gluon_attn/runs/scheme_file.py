"""--scheme FILE: what a search found, as options of the network."""

from ..config.files import merge


def with_scheme_file(given, recipe):
    """(given, recipe) of a command line; a file that names a scheme is replaced by the options that it stands for.

    So a run's config.yaml needs no file. A network or attention that is given and not the file's is a `UserError`;
    options of the network are added to the file's.
    """
    from ..models.scheme import Scheme, is_file

    asked = merge(recipe, given).get("model", {})
    if not is_file(asked.get("scheme")):
        return given, recipe
    found = Scheme.load(asked["scheme"])
    found.check_belongs(asked["scheme"], asked.get("model"), asked.get("attention"))
    meant = found.model_options()
    meant["model_options"] = {**meant["model_options"], **asked.get("model_options", {})}
    given, recipe = (_without_scheme(layer) for layer in (given, recipe))
    return given, merge({"model": meant}, recipe)


def _without_scheme(layer):
    model = {key: value for key, value in layer.get("model", {}).items() if key not in ("scheme", "model_options")}
    return {**layer, "model": model}
