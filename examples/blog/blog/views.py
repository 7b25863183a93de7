"""The new site, as plain as can be: enough to click through what was migrated."""

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from blog.models import Article, Author, Page, Section, Tag


def start(request: HttpRequest) -> HttpResponse:
    return page(request, "start")


def page(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Page, slug=slug)
    return _show(request, found, found.body, Article.objects.none())


def article(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Article.objects.select_related("author", "section", "hero"), slug=slug)
    return _show(request, found, found.body, Article.objects.none())


def author(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Author, slug=slug)
    return _show(request, found, found.bio, found.articles.all())


def section(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Section, slug=slug)
    return _show(request, found, found.intro, found.articles.all())


def tag(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Tag, slug=slug)
    return _show(request, found, "", found.articles.all())


def _show(request: HttpRequest, found: Model, text: str, articles: QuerySet[Article]) -> HttpResponse:
    """Every kind of page by one template; `text` is HTML that came from the old site's own pages."""
    context = {"found": found, "text": text, "articles": articles, "sections": Section.objects.order_by("slug")}
    return render(request, "blog/page.html", context)
