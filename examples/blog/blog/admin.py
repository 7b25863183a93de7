"""The migrated rows in Django's admin, where one looks whether all went well."""

from django.contrib import admin
from django.utils.html import format_html

from blog.models import Article, Author, Document, Page, Photo, Section, Tag


@admin.register(Article)
class ArticleAdmin(admin.ModelAdmin):
    list_display = ("title", "section", "author", "published", "minutes", "hero")
    list_filter = ("section", "author", "tags")
    search_fields = ("title", "body")
    date_hierarchy = "published"
    filter_horizontal = ("tags",)


@admin.register(Author)
class AuthorAdmin(admin.ModelAdmin):
    list_display = ("name", "slug", "portrait", "favourite")


@admin.register(Section)
class SectionAdmin(admin.ModelAdmin):
    list_display = ("name", "slug", "editor")


@admin.register(Tag, Page)
class SluggedAdmin(admin.ModelAdmin):
    list_display = ("__str__", "slug")


@admin.register(Photo)
class PhotoAdmin(admin.ModelAdmin):
    list_display = ("preview", "alt", "width", "height", "file")
    search_fields = ("alt", "file")

    @admin.display(description="photo")
    def preview(self, photo: Photo) -> str:
        return format_html('<img src="{}" alt="" height="48">', photo.file.url)


@admin.register(Document)
class DocumentAdmin(admin.ModelAdmin):
    list_display = ("__str__", "file")
    search_fields = ("title", "file")
