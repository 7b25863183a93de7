"""Models that are linked, filled or written in ways of their own."""

import json
import uuid
from decimal import Decimal
from functools import partial

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.fields.files import ImageFieldFile


class Person(models.Model):
    """Friends of each other: a many-to-many field that is symmetrical."""

    name = models.CharField(max_length=50, unique=True)
    friends = models.ManyToManyField("self", blank=True)

    def __str__(self):
        return self.name


class Team(models.Model):
    """Many-to-many through models of its own: one says more than a new link knows, one needs it."""

    name = models.CharField(max_length=50, unique=True)
    members = models.ManyToManyField(Person, through="testapp.Membership", related_name="teams")
    guests = models.ManyToManyField(Person, through="testapp.Invitation", related_name="+")

    def __str__(self):
        return self.name


class Membership(models.Model):
    """A link that says more than that it is one, and may be there twice, or lead nowhere."""

    team = models.ForeignKey(Team, models.CASCADE)
    person = models.ForeignKey(Person, models.CASCADE, null=True)
    role = models.CharField(max_length=20, default="member")

    def __str__(self):
        return self.role


class Invitation(models.Model):
    """A link that needs more than its two ends."""

    team = models.ForeignKey(Team, models.CASCADE)
    guest = models.ForeignKey(Person, models.CASCADE)
    invited_on = models.DateField()

    def __str__(self):
        return str(self.invited_on)


class Playlist(models.Model):
    """Many-to-many through a model that knows both ends by another column than their keys."""

    name = models.CharField(max_length=50, unique=True)
    singers = models.ManyToManyField(Person, through="testapp.Song", related_name="+")

    def __str__(self):
        return self.name


class Song(models.Model):
    """A link by names."""

    playlist = models.ForeignKey(Playlist, models.CASCADE, to_field="name")
    singer = models.ForeignKey(Person, models.CASCADE, to_field="name")

    def __str__(self):
        return f"{self.singer_id} in {self.playlist_id}"


class Report(models.Model):
    """Moments that Django stamps, unless somebody says otherwise."""

    title = models.CharField(max_length=50, unique=True)
    created = models.DateTimeField(auto_now_add=True)
    day = models.DateField(auto_now_add=True)
    updated = models.DateTimeField(auto_now=True)

    def __str__(self):
        return self.title


class SizedFile(ImageFieldFile):
    """An image that says its size as text, such as 3x4, so that no library for images is needed."""

    def _get_image_dimensions(self):
        with self.storage.open(self.name) as file:
            width, _, height = file.read().decode().partition("x")
        return int(width), int(height)


class SizedField(models.ImageField):
    """An ImageField, but for the library."""

    attr_class = SizedFile

    def _check_image_library_installed(self):
        return []


def scan_name(instance, filename):
    """The folder depends on other fields, which are declared later."""
    return f"{instance.album}/{instance.author.slug}/{instance.taken:%Y}/{filename}"


class Scan(models.Model):
    """An image whose place depends on other fields, and whose size stands in others."""

    image = SizedField(upload_to=scan_name, width_field="width", height_field="height")
    width = models.PositiveIntegerField(null=True, editable=False)
    height = models.PositiveIntegerField(null=True, editable=False)
    album = models.CharField(max_length=50)
    author = models.ForeignKey("testapp.Author", models.CASCADE, related_name="+")
    taken = models.DateTimeField(auto_now_add=True)

    def __str__(self):
        return self.image.name


class Sheet(models.Model):
    """JSON that is written and read in ways of its own."""

    name = models.CharField(max_length=50, unique=True)
    rich = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    exact = models.JSONField(default=dict, blank=True, decoder=partial(json.JSONDecoder, parse_float=Decimal))

    def __str__(self):
        return self.name


class Picky(models.Model):
    """Its save() writes what it likes, and says nothing of the rest; its key is there before it is saved."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=50)

    def __str__(self):
        return self.name

    def save(self, *args, **kwargs):
        if self.name != "unwanted":
            super().save(*args, **kwargs)


class Shelf(models.Model):
    """Many-to-many to keys that are no numbers, and to keys that are those of others."""

    name = models.CharField(max_length=50, unique=True)
    documents = models.ManyToManyField("testapp.Document", related_name="+")
    stats = models.ManyToManyField("testapp.ArticleStats", related_name="+")
    countries = models.ManyToManyField("testapp.Country", related_name="+")

    def __str__(self):
        return self.name
