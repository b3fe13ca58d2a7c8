"""From study to champion: gate, verification, retraining."""
