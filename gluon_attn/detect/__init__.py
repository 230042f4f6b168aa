"""Detection: what is learnt and how, from images to detections, and how good they are."""
