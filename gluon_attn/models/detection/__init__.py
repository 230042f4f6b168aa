"""Detectors: a backbone with a feature pyramid, region proposals, box head and mask head."""

from .detector import Detector
from .factory import CLASSES, DetectorBuild, canonical, detector_record, list_detectors

__all__ = ["CLASSES", "Detector", "DetectorBuild", "canonical", "detector_record", "list_detectors"]
