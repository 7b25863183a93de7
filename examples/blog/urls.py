"""Where the migrated pages live in the new site: the addresses that links are rewritten to."""

from blog import views
from django.conf import settings
from django.conf.urls.static import static
from django.contrib import admin
from django.urls import path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", views.start, name="start"),
    path("articles/<slug:slug>/", views.article, name="article"),
    path("authors/<slug:slug>/", views.author, name="author"),
    path("sections/<slug:slug>/", views.section, name="section"),
    path("tags/<slug:slug>/", views.tag, name="tag"),
    path("<slug:slug>/", views.page, name="page"),
    *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT),
]
