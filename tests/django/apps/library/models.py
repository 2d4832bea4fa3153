"""Publishers, authors, books: every kind of relation and column that querysets are written over."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Publisher(models.Model):
    name = models.CharField(max_length=40, unique=True)
    country = models.CharField(max_length=20, null=True, blank=True)  # noqa: DJ001 -- NULL group keys are wanted
    founded = models.DateField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Author(models.Model):
    name = models.CharField(max_length=40)
    mentor = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="pupils")
    home = models.ForeignKey(Publisher, models.SET_NULL, null=True, blank=True, related_name="authors")
    uid = models.UUIDField(default=uuid.uuid4)
    born = models.DateField(null=True, blank=True)
    rating = models.FloatField(null=True, blank=True)
    active = models.BooleanField(default=True)
    profile = models.JSONField(null=True, blank=True)
    nicknames = ArrayField(models.TextField(), null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Genre(models.Model):
    name = models.CharField(max_length=20, unique=True)
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="children")

    def __str__(self) -> str:
        return self.name


class Book(models.Model):
    class State(models.TextChoices):
        DRAFT = "draft"
        OUT = "out"
        GONE = "gone"

    publisher = models.ForeignKey(Publisher, models.SET_NULL, null=True, blank=True, related_name="books")
    author = models.ForeignKey(Author, models.CASCADE, related_name="books")
    genres = models.ManyToManyField(Genre, related_name="books")
    title = models.CharField(max_length=60)
    blurb = models.TextField(null=True, blank=True)  # noqa: DJ001 -- NULL beside the empty string is wanted
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    price = models.DecimalField(max_digits=10, decimal_places=2, null=True, blank=True)
    pages = models.IntegerField(null=True, blank=True)
    weight = models.FloatField(null=True, blank=True)
    printed = models.BooleanField(null=True, blank=True)
    published = models.DateField(null=True, blank=True)
    added = models.DateTimeField()
    data = models.JSONField(default=dict)
    marks = ArrayField(models.IntegerField(), default=list)

    def __str__(self) -> str:
        return self.title


class Review(models.Model):
    book = models.ForeignKey(Book, models.CASCADE, related_name="reviews")
    reviewer = models.ForeignKey(Author, models.SET_NULL, null=True, blank=True, related_name="reviews")
    stars = models.IntegerField()
    text = models.TextField(blank=True, default="")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.stars} for {self.book_id}"


class Sale(models.Model):
    book = models.ForeignKey(Book, models.CASCADE, related_name="sales")
    day = models.DateField()
    quantity = models.IntegerField(default=0)
    amount = models.DecimalField(max_digits=12, decimal_places=2, default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["book", "day"], name="library_sale_once_a_day")]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.book_id} on {self.day}"
