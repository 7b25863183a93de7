"""The shop's models for the environment of django-gyro, which has no isekai-core: see `models.py`."""
