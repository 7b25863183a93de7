"""Rows of the shop's models, as the CSV of a bundle."""

AT = "2026-01-02 03:04:05.123456+00"
TENANTS = f"id,name,subdomain,created_at,is_active\n1060,Acme,acme,{AT},t\n1061,Beta,beta,{AT},f\n"
SHOPS = f"id,tenant_id,name,url,currency,created_at\n7,1060,One,http://1,USD,{AT}\n8,1061,Two,http://2,EUR,{AT}\n"
LABEL = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
LABELS = f"id,name\n{LABEL},red\n"
PEOPLE = "id,name,country_id,works_at,born,height,notes,portrait,picture\n"
"""The header alone: each test has people of its own."""
FIRMS = "id,name,owner_id\n"
"""The header alone."""
CATEGORIES = "id,slug,parent_id\n1,a,\n2,b,1\n"


def numbers(report):
    """What a report of a load counts."""
    return report.rows, report.created, report.updated, report.unchanged
