"""Sound files to samples, samples to spectra, text to tokens."""
