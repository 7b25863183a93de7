"""The models that the README and the how-to guides mean when they speak of a blog."""

from django.db import models


class Photo(models.Model):
    file = models.FileField(upload_to="photos")
    alt = models.CharField(max_length=200, blank=True)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)


class Article(models.Model):
    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=100, blank=True)
    body = models.TextField(blank=True)
    author = models.ForeignKey("auth.User", models.PROTECT, null=True, blank=True)
    hero = models.ForeignKey(Photo, models.SET_NULL, null=True, blank=True)

    def get_absolute_url(self):
        return f"/blog/{self.slug}/"
