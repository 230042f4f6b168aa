"""Detectors: a backbone with a feature pyramid, region proposals, box head and mask head."""

from .detector import Detector, Graphs
from .factory import CLASSES, DetectorBuild, canonical, detector_record, list_detectors
from .geometry import Geometry

__all__ = [
    "CLASSES",
    "Detector",
    "DetectorBuild",
    "Geometry",
    "Graphs",
    "canonical",
    "detector_record",
    "list_detectors",
]
