"""What the old site becomes: one model per kind of page, one for images, one for documents."""

from django.db import models
from django.urls import reverse


class Photo(models.Model):
    file = models.ImageField(upload_to="photos")
    alt = models.CharField(max_length=200, blank=True)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()

    def __str__(self) -> str:
        return self.alt or self.file.name


class Document(models.Model):
    file = models.FileField(upload_to="documents")
    title = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return self.title or self.file.name


class Author(models.Model):
    name = models.CharField(max_length=100)
    slug = models.SlugField(unique=True)
    bio = models.TextField(blank=True)
    portrait = models.ForeignKey(Photo, on_delete=models.SET_NULL, null=True, blank=True, related_name="portrays")
    # An author has a favourite article, and every article has an author: a circle across two models.
    favourite = models.ForeignKey("Article", on_delete=models.SET_NULL, null=True, blank=True, related_name="liked_by")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("author", args=[self.slug])


class Section(models.Model):
    name = models.CharField(max_length=100)
    slug = models.SlugField(unique=True)
    intro = models.TextField(blank=True)
    editor = models.ForeignKey(Author, on_delete=models.PROTECT, related_name="edits")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("section", args=[self.slug])


class Tag(models.Model):
    name = models.CharField(max_length=50)
    slug = models.SlugField(unique=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("tag", args=[self.slug])


class Article(models.Model):
    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=100, unique=True)
    published = models.DateField()
    minutes = models.PositiveSmallIntegerField(help_text="reading time")
    section = models.ForeignKey(Section, on_delete=models.PROTECT, related_name="articles")
    author = models.ForeignKey(Author, on_delete=models.PROTECT, related_name="articles")
    tags = models.ManyToManyField(Tag, related_name="articles", blank=True)
    hero = models.OneToOneField(Photo, on_delete=models.SET_NULL, null=True, blank=True, related_name="hero_of")
    # The last article of a series leads to its first one again: a circle within one model.
    next_in_series = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="previous_in_series"
    )
    body = models.TextField()

    class Meta:
        ordering = ("-published", "slug")

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("article", args=[self.slug])


class Page(models.Model):
    """A page that is none of the others: the start page, the contact page and so on."""

    title = models.CharField(max_length=200)
    slug = models.SlugField(unique=True)
    body = models.TextField()

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("start") if self.slug == "start" else reverse("page", args=[self.slug])
