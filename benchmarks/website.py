"""Makes a site of any size for the benchmarks, the same every time, and serves it from processes of its own.

    python website.py --pages 2000 --images 1000 --serve

Every page is some 21 KB, is in the sitemap, and links to 12 others of its circle of 20; every second page
shows an image of its own. What serves it is nginx where there is one, else `server.py`: neither is the
bottleneck, and neither counts in anybody's time or memory.
"""

import argparse
import io
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageDraw

HERE = Path(__file__).resolve().parent
WORK = HERE / "build"
HOST, PORT = "127.0.0.1", 8766
CIRCLE = 20
LINKS = 12
PARAGRAPHS = 24

TEXT = """
harbour tide rope lantern market bridge winter ledger crane anchor letter kitchen window garden bicycle museum
orchestra weather station paper evening morning river island painter baker council school fog the a of and with
under before after without between because although every another quiet narrow old
"""
WORDS = TEXT.split()

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title} | Benchmark Gazette</title>
<link rel="canonical" href="{path}">
<meta name="description" content="{title}, one of many">
<link rel="stylesheet" href="/style.css">
<script>window.dataLayer = window.dataLayer || [];</script>
</head>
<body>
<header><a href="/pages/00000/">Benchmark Gazette</a><nav><ul>{nav}</ul></nav></header>
<main>
<article>
<h1>{title}</h1>
<p class="byline"><time datetime="{day}">{day}</time></p>
{hero}<div class="body">
{body}
</div>
</article>
</main>
<footer><p>Nobody wrote this page.</p></footer>
</body>
</html>
"""


def page_path(number: int) -> str:
    """With a slash at the end, because the peer's page miner knows no other pages."""
    return f"/pages/{number:05}/"


def image_path(number: int) -> str:
    return f"/images/{number:05}.{'png' if number % 4 == 3 else 'jpg'}"


def base_url(port: int = PORT) -> str:
    return f"http://{HOST}:{port}"


def write(folder: Path, pages: int, images: int, port: int = PORT) -> None:
    """The whole site below `folder`; nothing when it is there already."""
    done = folder / ".done"
    if done.exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    prose = _prose()
    for number in range(pages):
        _put(folder / page_path(number).strip("/") / "index.html", _page(number, pages, images, prose).encode())
    for number in range(images):
        _put(folder / image_path(number).lstrip("/"), _image(number))
    _put(folder / "sitemap.xml", _sitemap(pages, port).encode())
    done.touch()


def _put(file: Path, body: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)


def _prose() -> list[str]:
    chance = random.Random(7)
    return [" ".join(chance.choices(WORDS, k=121)).capitalize() + "." for _ in range(97)]


def _page(number: int, pages: int, images: int, prose: list[str]) -> str:
    title = f"Page {number} on {WORDS[number % len(WORDS)]}"
    return PAGE.format(
        title=title,
        path=page_path(number),
        day=f"{2000 + number % 25}-{number % 12 + 1:02}-{number % 28 + 1:02}",
        nav="".join(f'<li><a href="{page_path(n % pages)}">Part {n}</a></li>' for n in range(8)),
        hero=_hero(number, images),
        body="\n".join(_paragraphs(number, pages, prose)),
    )


def _hero(number: int, images: int) -> str:
    if number % 2 or number // 2 >= images:
        return ""
    return f'<figure><img class="hero" src="{image_path(number // 2)}" alt="Image {number // 2}"></figure>\n'


def _paragraphs(number: int, pages: int, prose: list[str]) -> Iterator[str]:
    """Text, and in every second paragraph a link to another page of the circle."""
    start = number - number % CIRCLE
    size = min(CIRCLE, pages - start)
    for place in range(PARAGRAPHS):
        text = prose[(number * 7 + place * 5) % len(prose)]
        if place < LINKS and size > 1:
            other = start + (number - start + place % (size - 1) + 1) % size
            text += f' See <a href="{page_path(other)}">page {other}</a>.'
        yield f"<p>{text}</p>"


def _image(number: int) -> bytes:
    chance = random.Random(number)
    image = Image.new("RGB", (160, 120), (chance.randrange(256), chance.randrange(256), chance.randrange(256)))
    draw = ImageDraw.Draw(image)
    for _ in range(40):
        x, y = chance.randrange(160), chance.randrange(120)
        colour = (chance.randrange(256), chance.randrange(256), chance.randrange(256))
        draw.ellipse((x, y, x + chance.randrange(1, 40), y + chance.randrange(1, 40)), fill=colour)
    out = io.BytesIO()
    image.save(out, "PNG" if number % 4 == 3 else "JPEG")
    return out.getvalue()


def _sitemap(pages: int, port: int) -> str:
    entries = "".join(
        f"<url><loc>{base_url(port)}{page_path(number)}</loc><lastmod>2026-01-{number % 28 + 1:02}</lastmod></url>\n"
        for number in range(pages)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{entries}</urlset>\n'
    )


NGINX = """daemon off; master_process on; worker_processes 1; pid {work}/nginx.pid; error_log {work}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; keepalive_requests 1000000; open_file_cache max=20000;
  types {{ text/html html; image/jpeg jpg; image/png png; image/gif gif; image/svg+xml svg; application/xml xml;
           text/plain txt; text/css css; text/javascript js; application/gzip gz; }}
  client_body_temp_path {work}/b; proxy_temp_path {work}/p; fastcgi_temp_path {work}/f;
  uwsgi_temp_path {work}/u; scgi_temp_path {work}/s;
  server {{ listen {host}:{port} reuseport backlog=1024; root {folder}; index index.html; }}
}}
"""


@contextmanager
def serving(folder: Path, port: int = PORT) -> Iterator[str]:
    """The folder on loopback while the block lasts; gives the base URL."""
    if _listens(port):
        msg = f"something listens on {HOST}:{port} already; stop it first"
        raise RuntimeError(msg)
    server = subprocess.Popen(_command(folder, port))
    try:
        until = time.monotonic() + 20
        while not _listens(port):
            if server.poll() is not None or time.monotonic() > until:
                msg = f"the server of {folder} did not start"
                raise RuntimeError(msg)
            time.sleep(0.02)
        yield base_url(port)
    finally:
        server.terminate()
        server.wait()


def _command(folder: Path, port: int) -> list[str]:
    nginx = shutil.which("nginx")
    if nginx is None:
        return [sys.executable, str(HERE / "server.py"), str(folder), str(port)]
    work = WORK / f"nginx-{port}"
    work.mkdir(parents=True, exist_ok=True)
    config = work / "nginx.conf"
    config.write_text(NGINX.format(work=work, folder=folder.resolve(), host=HOST, port=port))
    return [nginx, "-c", str(config), "-p", str(work), "-e", str(work / "error.log")]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def main() -> int:
    parser = argparse.ArgumentParser(description="make and serve a site of any size")
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--folder", type=Path, help="default: work/site-PAGES-IMAGES")
    parser.add_argument("--serve", action="store_true", help="serve it until Ctrl-C")
    args = parser.parse_args()
    folder = args.folder or WORK / f"site-{args.pages}-{args.images}-{args.port}"
    write(folder, args.pages, args.images, args.port)
    print(folder)
    if args.serve:
        with serving(folder, args.port) as url:
            print(f"{url}/sitemap.xml, until Ctrl-C", flush=True)
            try:
                while True:
                    time.sleep(3600)
            except KeyboardInterrupt:
                print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
