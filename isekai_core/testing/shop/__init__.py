"""A shop as a Django app: models for tests and examples of slices. In the settings of the kit it is installed."""
