"""Models for tests, each here for one thing that loading must get right."""

import uuid

from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models

from testapp.special import (  # noqa: F401 - Django looks for models here
    Invitation,
    Membership,
    Person,
    Picky,
    Playlist,
    Report,
    Scan,
    Sheet,
    Shelf,
    Song,
    Team,
)


class Author(models.Model):
    """Unique slug, and nothing else required."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=100)
    email = models.EmailField(blank=True)

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return f"/authors/{self.slug}/"


class Section(models.Model):
    """A tree whose root has no parent."""

    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=100)
    parent = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="children")

    def __str__(self):
        return self.title


class Tag(models.Model):
    """Where many-to-many fields point."""

    name = models.CharField(max_length=50, unique=True)

    def __str__(self):
        return self.name


class Photo(models.Model):
    """A file, with what is known of it."""

    file = models.FileField(upload_to="photos")
    alt = models.CharField(max_length=200, blank=True)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    source = models.CharField(max_length=5000, blank=True)

    def __str__(self):
        return self.file.name


class Article(models.Model):
    """A foreign key that may be null and one that may not, a many-to-many field, and values of every type."""

    slug = models.SlugField(max_length=100, unique=True)
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    author = models.ForeignKey(Author, models.PROTECT, related_name="articles")
    section = models.ForeignKey(Section, models.SET_NULL, null=True, blank=True, related_name="articles")
    hero = models.ForeignKey(Photo, models.SET_NULL, null=True, blank=True, related_name="+")
    tags = models.ManyToManyField(Tag, blank=True, related_name="articles")
    related = models.ManyToManyField("self", blank=True, symmetrical=False, related_name="related_from")
    data = models.JSONField(default=dict, blank=True)
    attachment = models.FileField(upload_to="attachments", blank=True)
    price = models.DecimalField(max_digits=8, decimal_places=2, null=True, blank=True)
    published_on = models.DateField(null=True, blank=True)
    updated_at = models.DateTimeField(null=True, blank=True)
    featured = models.BooleanField(default=False)

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return f"/articles/{self.slug}/"


class ArticleStats(models.Model):
    """One-to-one, as its primary key."""

    article = models.OneToOneField(Article, models.CASCADE, primary_key=True, related_name="stats")
    views = models.PositiveIntegerField(default=0)

    def __str__(self):
        return f"{self.views} views"


class Profile(models.Model):
    """One-to-one beside a primary key of its own."""

    author = models.OneToOneField(Author, models.CASCADE, related_name="profile")
    motto = models.CharField(max_length=200, blank=True)

    def __str__(self):
        return self.motto


class Node(models.Model):
    """A nullable reference to itself: cycles of any length."""

    name = models.CharField(max_length=100, unique=True)
    parent = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="children")

    def __str__(self):
        return self.name


class Left(models.Model):
    """Half of a cycle that has no nullable side."""

    name = models.CharField(max_length=100, unique=True)
    right = models.ForeignKey("testapp.Right", models.CASCADE, related_name="lefts")

    def __str__(self):
        return self.name


class Right(models.Model):
    """The other half."""

    name = models.CharField(max_length=100, unique=True)
    left = models.ForeignKey(Left, models.CASCADE, related_name="rights")

    def __str__(self):
        return self.name


class Place(models.Model):
    """The parent table of a multi-table child."""

    name = models.CharField(max_length=100, unique=True)

    def __str__(self):
        return self.name


class Restaurant(Place):
    """A child with a table of its own: a bulk insert cannot write it."""

    stars = models.PositiveSmallIntegerField(default=0)


class Document(models.Model):
    """A primary key that Python makes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    title = models.CharField(max_length=100, unique=True)
    next = models.ForeignKey("self", models.CASCADE, related_name="previous")

    def __str__(self):
        return self.title


class Country(models.Model):
    """A primary key that is data, and a foreign key to something else than a primary key."""

    code = models.CharField(max_length=2, primary_key=True)
    leader = models.ForeignKey(Author, models.SET_NULL, to_field="slug", null=True, blank=True, related_name="+")

    def __str__(self):
        return self.code


class Product(models.Model):
    """Constraints: by a validator, by the column's type, by CHECK, by several columns, and a field that cleans."""

    sku = models.CharField(max_length=20)
    shop = models.CharField(max_length=20)
    stock = models.PositiveIntegerField(default=0)
    price = models.DecimalField(max_digits=8, decimal_places=2, validators=[MinValueValidator(0)])
    discount = models.IntegerField(default=0)
    color = models.CharField(max_length=5, blank=True, choices=[("red", "red"), ("green", "green")])

    class Meta:
        constraints = [  # noqa: RUF012
            models.UniqueConstraint(fields=["shop", "sku"], name="testapp_product_once"),
            models.CheckConstraint(condition=models.Q(discount__lte=90), name="testapp_discount_at_most_90"),
        ]

    def __str__(self):
        return self.sku

    def clean(self):
        if self.sku == "forbidden":
            msg = "this sku is not allowed"
            raise ValidationError(msg)


class Saved(models.Model):
    """Does something of its own in save(), which only `save="each"` calls."""

    name = models.CharField(max_length=100, unique=True)
    shouted = models.CharField(max_length=100, blank=True)

    def __str__(self):
        return self.name

    def save(self, *args, **kwargs):
        self.shouted = self.name.upper()
        super().save(*args, **kwargs)


class LoudField(models.CharField):
    """A field of the project's own: what is stored is not what was given."""

    def get_prep_value(self, value):
        return value if value is None else super().get_prep_value(value).upper()


class Notice(models.Model):
    """A field of the project's own, and one that the database fills in."""

    text = LoudField(max_length=50, unique=True)
    colour = models.CharField(max_length=10, db_default="grey")

    def __str__(self):
        return self.text


class Remark(models.Model):
    """A generic foreign key to keys of every kind, written as texts."""

    text = models.CharField(max_length=100)
    # Without a constraint: the tables of apps without migrations are made before those of others.
    about_type = models.ForeignKey(ContentType, models.CASCADE, null=True, db_constraint=False)
    about_id = models.CharField(max_length=50, null=True)  # noqa: DJ001 - as it may be with keys
    about = GenericForeignKey("about_type", "about_id")

    def __str__(self):
        return self.text


class Album(models.Model):
    """What remarks lead to, and are found from; it needs an author."""

    name = models.CharField(max_length=100, unique=True)
    author = models.ForeignKey(Author, models.CASCADE)
    remarks = GenericRelation(Remark, content_type_field="about_type", object_id_field="about_id")
    ratings = GenericRelation("testapp.Rating", content_type_field="kind", object_id_field="number")

    def __str__(self):
        return self.name


class Rating(models.Model):
    """A generic foreign key that is a number, and once for each thing."""

    kind = models.ForeignKey(ContentType, models.CASCADE, db_constraint=False)
    number = models.PositiveBigIntegerField()
    thing = GenericForeignKey("kind", "number")
    stars = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [  # noqa: RUF012
            models.UniqueConstraint(fields=["kind", "number"], name="testapp_rating_once"),
        ]

    def __str__(self):
        return f"{self.stars} stars"


class Reading(models.Model):
    """Columns whose values can be written in several ways, and come back in one."""

    name = models.CharField(max_length=50, unique=True)
    raw = models.BinaryField(default=b"")
    price = models.DecimalField(max_digits=8, decimal_places=2, default=0)
    ratio = models.FloatField(default=0)
    took = models.DurationField(null=True)
    data = models.JSONField(default=dict)
    at = models.TimeField(null=True)
    when = models.DateTimeField(null=True)
    host = models.GenericIPAddressField(null=True)
    number = models.UUIDField(null=True)

    def __str__(self):
        return self.name


class Remembered(models.Model):
    """A text in an index: PostgreSQL takes none that is too long for one."""

    name = models.CharField(max_length=50, unique=True)
    text = models.TextField(db_index=True)

    def __str__(self):
        return self.name


class Venue(Place):
    """The same in a model of two tables."""

    opened = models.DateTimeField(auto_now_add=True)
    seen = models.DateTimeField(auto_now=True)


class PickyPlace(Place):
    """The same with a key that the database gives."""

    def save(self, *args, **kwargs):
        if self.name != "unwanted":
            super().save(*args, **kwargs)
