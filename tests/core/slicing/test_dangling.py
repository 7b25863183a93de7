"""The words in which dangling references are refused."""

import pytest

from isekai_core.slicing.dangling import Dangling, refusal

FOUND = [
    Dangling("shop.Order.customer_id", "shop.Customer", 9, list("123456")),
    Dangling("shop.Item.customer_id", "shop.Customer", 1, ["1"]),
    Dangling("shop.Tag.object_id", "", 1, ["77"]),
]
HAVE = "shop.Order.customer_id has 9 (1, 2, 3, 4, 5, …)"
JOBS = "add a job for shop.Customer and for what shop.Tag.object_id points to, or load with "
KEEP = "dangling='keep' when the target has them under the same keys"


@pytest.mark.parametrize(
    ("dangling", "column", "ways"),
    [("error", "", f"{JOBS}dangling='null', or with {KEEP}"), ("null", ", and it cannot be NULL", f"{JOBS}{KEEP}")],
)
def test_each_column_is_told_with_some_values_and_each_model_that_is_missing_once(dangling, column, ways):
    told = refusal(FOUND, dangling)
    assert told.startswith(f"references to rows that are not in the bundle: {HAVE}{column}; shop.Item")
    assert told.endswith(f"; shop.Tag.object_id has 1 (77){column}; {ways}")
