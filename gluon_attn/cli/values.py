"""Values that commands take on their command lines, for argparse's `type`; what does not fit is a one-line error."""

import argparse

import yaml


def whole(text):
    """A whole number above 0."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number above 0, got {text!r}")
    return int(text)


def pair(text):
    """NAME=VALUE -> (name, value), the value read as a YAML scalar."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, got {text!r}")
    return name, yaml.safe_load(value)
