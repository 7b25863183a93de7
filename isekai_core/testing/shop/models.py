"""Tenants with shops, customers, products and orders; and tables that need one another in every way there is."""

import uuid
from typing import ClassVar

from django.db import models


class Tenant(models.Model):
    """An organisation of its own."""

    name = models.CharField(max_length=200)
    subdomain = models.CharField(max_length=50, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class Shop(models.Model):
    """A shop of a tenant."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    name = models.CharField(max_length=200)
    url = models.URLField()
    currency = models.CharField(max_length=3, default="USD")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Customer(models.Model):
    """A customer of a shop."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE)
    email = models.EmailField()
    first_name = models.CharField(max_length=100)
    last_name = models.CharField(max_length=100)
    phone = models.CharField(max_length=20, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        unique_together: ClassVar = [("shop", "email")]

    def __str__(self) -> str:
        return self.email


class Product(models.Model):
    """A product in a shop."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE)
    sku = models.CharField(max_length=100)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    inventory_count = models.IntegerField(default=0)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        unique_together: ClassVar = [("shop", "sku")]

    def __str__(self) -> str:
        return self.name


class Order(models.Model):
    """An order of a customer."""

    STATUS_CHOICES: ClassVar = [
        ("pending", "Pending"),
        ("processing", "Processing"),
        ("shipped", "Shipped"),
        ("delivered", "Delivered"),
        ("cancelled", "Cancelled"),
    ]

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE)
    order_number = models.CharField(max_length=50)
    status = models.CharField(max_length=20, choices=STATUS_CHOICES, default="pending")
    total_amount = models.DecimalField(max_digits=10, decimal_places=2)
    tax_amount = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    shipping_amount = models.DecimalField(max_digits=10, decimal_places=2, default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        unique_together: ClassVar = [("shop", "order_number")]

    def __str__(self) -> str:
        return self.order_number


class OrderItem(models.Model):
    """A line of an order."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="items")
    product = models.ForeignKey(Product, on_delete=models.CASCADE)
    quantity = models.IntegerField()
    unit_price = models.DecimalField(max_digits=10, decimal_places=2)
    total_price = models.DecimalField(max_digits=10, decimal_places=2)

    def __str__(self) -> str:
        return f"{self.quantity} of {self.product_id}"


class Category(models.Model):
    """A tree."""

    slug = models.SlugField(unique=True)
    parent = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="children")

    def __str__(self) -> str:
        return self.slug


class Label(models.Model):
    """What many-to-many fields point to, by a key that is no number."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=50, unique=True)

    def __str__(self) -> str:
        return self.name


class Country(models.Model):
    """What a foreign key points to by a column that is not the primary key."""

    code = models.CharField(max_length=2, unique=True)
    name = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.code


class Person(models.Model):
    """One half of a circle, with a column of every other kind."""

    name = models.CharField(max_length=100)
    country = models.ForeignKey(Country, models.PROTECT, to_field="code", null=True)
    employer = models.ForeignKey("Firm", models.SET_NULL, null=True, related_name="staff", db_column="works_at")
    labels = models.ManyToManyField(Label, blank=True)
    born = models.DateField(null=True)
    height = models.FloatField(null=True)
    notes = models.JSONField(null=True)
    portrait = models.BinaryField(null=True)
    picture = models.FileField(upload_to="people", blank=True)

    def __str__(self) -> str:
        return self.name


class Firm(models.Model):
    """The other half; its owner is required."""

    name = models.CharField(max_length=100, unique=True)
    owner = models.ForeignKey(Person, models.CASCADE, related_name="owns")

    def __str__(self) -> str:
        return self.name


class Branch(Firm):
    """A firm that has a table of its own beside that of all firms."""

    town = models.CharField(max_length=100)
