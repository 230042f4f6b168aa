"""What a build of a case gives, and how it takes its arguments."""

from dataclasses import dataclass


@dataclass
class Built:
    """Our block; the source of its weights for `load_reference`; how it is called.

    call: function of the block and the case's inputs that gives the outputs (default: the block of the first input).
    whole: a block whose parameters are counted in its place. again: beginning of the names of what the original runs
    through a second time for nothing, so that its running statistics move once more; and how often it is run each time.
    """

    block: object
    source: str
    call: object = None
    whole: object = None
    again: tuple = ()


def renamed(args, names):
    """Takes the arguments that are there and gives them under our names."""
    return {ours: args.pop(theirs) for theirs, ours in names.items() if theirs in args}


def fixed(args, **only):
    """Takes arguments of which one value alone is known here."""
    for name, value in only.items():
        got = args.pop(name, value)
        assert got == value, f"{name}={got!r} has no counterpart here, {value!r} only"
