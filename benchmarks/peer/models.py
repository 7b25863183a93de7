"""isekai-django asks a project for its own resource model, which also names the processors."""

from isekai.models import AbstractResource


class Resource(AbstractResource):
    class Meta:
        app_label = "peer"
