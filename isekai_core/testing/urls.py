"""The URLs of the test settings: the admin, which plugins extend."""

from django.contrib import admin
from django.urls import path

urlpatterns = [path("admin/", admin.site.urls)]
