"""Further querysets, compiled for the source: the rows are those that Django itself gives, each once."""

from django.db.models import Count, Exists, FilteredRelation, OuterRef, Q, Subquery, Sum

from isekai_core.testing.shop.models import Order, OrderItem

LAST = OrderItem.objects.filter(order=OuterRef("pk")).order_by("-quantity").values("quantity")[:1]
QUERYSETS = {
    "annotate, then values": Order.objects.annotate(n=Count("items")).values("status", "n").filter(n=2, pk__lt=9),
    "annotate a subquery": Order.objects.annotate(last=Subquery(LAST)).filter(last=2, pk__lt=9),
    "alias": Order.objects.alias(all=Sum("items__quantity")).filter(all__gte=3, pk__lt=9),
    "exists": Order.objects.filter(Exists(OrderItem.objects.filter(order=OuterRef("pk"), quantity=2)), pk__lt=9),
    "filtered relation": Order.objects.annotate(twos=FilteredRelation("items", condition=Q(items__quantity=2))).filter(
        twos__isnull=False, pk__lt=9
    ),
    "either of two joins": Order.objects.filter(Q(items__quantity=7) | Q(customer__email="c1")),
    "and and or of querysets": (Order.objects.filter(pk__lt=9) | Order.objects.filter(pk=12))
    & Order.objects.exclude(customer__email="c1"),
    "extra": Order.objects.extra(where=["total_amount > %s"], params=[5]),
    "prefetched": Order.objects.prefetch_related("items").filter(pk__lt=9),
    "reversed": Order.objects.order_by("customer__email").reverse().filter(pk__lt=9),
}


def test_the_rows_are_those_of_the_queryset(source):
    source.fill()
    for kind, rows in QUERYSETS.items():
        expected = {row["pk"] for row in rows.using(source.alias).values("pk")}
        assert expected, kind
        assert source.cut(source.table(Order, queryset=rows)).keys(Order) == sorted(expected), kind
