"""The old site's documents: small PDF, CSV and text files, the same every time."""

import random

from legacy.prose import paragraphs


def paper(name: str, title: str) -> bytes:
    """The document called `name`, in the format that its ending says."""
    makers = {"pdf": _pdf, "csv": _csv, "txt": _txt}
    return makers[name.rpartition(".")[2]](title, random.Random(name))


def _csv(title: str, chance: random.Random) -> bytes:
    rows = [
        f"{day:02}.06.2009,{chance.randint(0, 23):02}:{chance.randint(0, 59):02},{chance.uniform(0, 4):.2f}"
        for day in range(1, 31)
    ]
    return "\r\n".join([f"date,time,{title.lower()}", *rows, ""]).encode()


def _txt(title: str, chance: random.Random) -> bytes:
    return "\n\n".join([title.upper(), *paragraphs(chance, 3), ""]).encode()


def _pdf(title: str, chance: random.Random) -> bytes:
    """A PDF of one page that says its title, with the table of offsets that readers want."""
    shown = f"BT /F1 24 Tf 72 {chance.randint(500, 700)} Td ({title}) Tj ET".encode("latin-1")
    font = b"<< /Font << /F1 5 0 R >> >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources %s >>" % font,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(shown), shown),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out = b"%PDF-1.4\n"
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return out + b"xref\n0 6\n0000000000 65535 f \n%strailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        table,
        len(out),
    )
