"""Figures printed in papers, to stand beside ours."""

#: model -> (parameters as printed, classes, paper)
PARAMETERS = {
    "cifar_resnet20_v1": ("0.27 M", 10, "He et al. 2015, table 6"),
    "cifar_resnet32_v1": ("0.46 M", 10, "He et al. 2015, table 6"),
    "cifar_resnet44_v1": ("0.66 M", 10, "He et al. 2015, table 6"),
    "cifar_resnet56_v1": ("0.85 M", 10, "He et al. 2015, table 6"),
    "cifar_resnet110_v1": ("1.7 M", 10, "He et al. 2015, table 6"),
    "cifar_resnet164_v2": ("1.7 M", 10, "He et al. 2016, table 4"),
}


def published_parameters(recipe):
    """(figure, paper) for the network of a `recipe`, or None where there is none for exactly that network."""
    figure, classes, paper = PARAMETERS.get(recipe["model"], (None, None, None))
    plain = not (recipe["plan"] or {}).get("entries")
    return (figure, paper) if figure and classes == recipe["classes"] and plain else None
