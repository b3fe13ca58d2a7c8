"""A trained run as something to ask: predictor, HTTP, MLflow's flavour."""
