"""Where the pipeline is found by its name."""

from killing import make_pipeline

killed = make_pipeline()
