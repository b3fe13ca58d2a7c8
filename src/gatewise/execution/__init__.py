"""Many runs at once: workers, the warm process, Ray, torchrun, finished runs, progress."""
