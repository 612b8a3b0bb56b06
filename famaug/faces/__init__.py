"""Find a face, its 478-point mesh and blendshapes; pose; crop and paste back."""

from famaug.faces.detector import Detection
from famaug.faces.mesher import PAPER_SIZES, SMALLEST_FACE, FaceMesher, FaceTrack

__all__ = ["PAPER_SIZES", "SMALLEST_FACE", "Detection", "FaceMesher", "FaceTrack"]
