import pytest

from isekai_core.testing import database_settings, embedded_postgres, own_database
from isekai_core.testing.postgres import run_sql


def test_the_server_answers(postgres_url):
    assert run_sql(postgres_url, "SELECT 6 * 7") == "42"


def test_a_database_of_ones_own_is_empty_and_gone_afterwards(postgres_url):
    with own_database(postgres_url) as url:
        run_sql(url, "CREATE TABLE a (b int)")
        name = run_sql(url, "SELECT current_database()")
        assert run_sql(postgres_url, f"SELECT count(*) FROM pg_database WHERE datname = '{name}'") == "1"
    assert run_sql(postgres_url, f"SELECT count(*) FROM pg_database WHERE datname = '{name}'") == "0"


def test_each_test_has_another_database(postgres_database, postgres_url):
    assert (
        run_sql(postgres_database, "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'")
        == "0"
    )
    assert postgres_database != postgres_url


def test_a_given_server_is_used_and_left_alone(monkeypatch):
    monkeypatch.setenv("ISEKAI_TEST_POSTGRES_URL", "postgresql://nobody@127.0.0.1:1/none")
    with embedded_postgres() as url:
        assert url == "postgresql://nobody@127.0.0.1:1/none"


def test_an_sql_error_is_shown(postgres_url):
    with pytest.raises(RuntimeError, match='relation "nowhere" does not exist'):
        run_sql(postgres_url, "SELECT * FROM nowhere")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "postgresql://ada:s%40fe@db.example.org:5433/shop?sslmode=require",
            {
                "NAME": "shop",
                "USER": "ada",
                "PASSWORD": "s@fe",
                "HOST": "db.example.org",
                "PORT": "5433",
                "OPTIONS": {"sslmode": "require"},
            },
        ),
        (
            "postgresql://postgres:@/postgres?host=/tmp/socket",
            {"NAME": "postgres", "USER": "postgres", "PASSWORD": "", "HOST": "/tmp/socket", "PORT": "", "OPTIONS": {}},
        ),
        ("postgres://h", {"NAME": "postgres", "USER": "", "PASSWORD": "", "HOST": "h", "PORT": "", "OPTIONS": {}}),
    ],
)
def test_a_url_becomes_an_entry_of_databases(url, expected):
    assert database_settings(url) == {"ENGINE": "django.db.backends.postgresql", **expected}


def test_another_scheme_is_refused_without_showing_the_url():
    with pytest.raises(ValueError, match=r"begins with postgresql://, got 'mysql'$"):
        database_settings("mysql://ada:secret@h/db")
