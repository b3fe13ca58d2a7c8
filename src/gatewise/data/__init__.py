"""From a source to prepared sequences."""
