"""Importers for the shop, declared for one test and forgotten after it."""

import pytest

from isekai_core.slicing import Importer
from isekai_core.testing.shop.models import Customer, Order, OrderItem, Product, Shop, Tenant


@pytest.fixture(autouse=True)
def own_importers(isekai_importers):
    """No test sees the importers of another."""


@pytest.fixture
def shop_importers():
    class TenantImporter(Importer):
        model = Tenant

    class ShopImporter(Importer):
        model = Shop

        class Columns:
            tenant = Tenant

    class InShop(Importer):
        class Columns:
            tenant = Tenant
            shop = Shop

    class CustomerImporter(InShop):
        model = Customer

    class ProductImporter(InShop):
        model = Product

    class OrderImporter(InShop):
        model = Order

        class Columns:
            customer = Customer

    class OrderItemImporter(InShop):
        model = OrderItem

        class Columns:
            order = Order
            product = Product
