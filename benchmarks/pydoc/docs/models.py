"""What the documentation becomes."""

from django.db import models


class Page(models.Model):
    path = models.CharField(max_length=200, unique=True)
    title = models.CharField(max_length=300)
    body = models.TextField()

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return f"/docs/{self.path}"


class Image(models.Model):
    file = models.ImageField(upload_to="images")
    alt = models.CharField(max_length=300, blank=True)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)

    def __str__(self) -> str:
        return self.alt or self.file.name
