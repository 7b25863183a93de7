"""What the pages and images become, on both sides."""

from django.db import models


class Photo(models.Model):
    file = models.ImageField(upload_to="photos")
    alt = models.CharField(max_length=200, blank=True)

    class Meta:
        app_label = "job"

    def __str__(self) -> str:
        return self.alt


class Article(models.Model):
    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=100, unique=True)
    published = models.DateField()
    hero = models.ForeignKey(Photo, on_delete=models.SET_NULL, null=True, related_name="+")
    body = models.TextField()

    class Meta:
        app_label = "job"

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return f"/articles/{self.slug}/"

    @property
    def url(self) -> str:
        """The same, for isekai-django, whose references reach attributes only."""
        return self.get_absolute_url()
