"""The pipeline: one module per stage, and what they share.

definition.py   Pipeline and use: what people write
compose.py      names and options become processors; check.py looks closer, for `isekai pipelines check`;
                absent.py: what to install for one that is not here; fit.py: whether stages can meet
discover.py     where pipelines are found: apps and isekai.toml

engine.py       runs a pipeline: seed, then the front, then load; lease.py says who runs it
seed.py         the five stages; given.py looks at what processors give, repeats.py: keys that come again
front.py        extract, mine and transform, in one claim and one write
extract.py
mine.py
transform.py
load.py         the order of rows: order.py is its graph, writer.py writes, cycles.py what needs one another
match.py        which rows exist, and create.py makes new ones; resolve.py: refs become values; aliases.py: redirects;
                answers.py: what rows are asked for; foretell.py: addresses of rows that come later; moments.py: dates

journal.py      claims and batched writes; family.py: who found whom; work.py: a resource in memory
rows.py         their SQL, and copying.py its COPY; payloads.py: bytes in the database and in storage; packing.py
provenance.py   which processor of which version did what; garbage.py: Python's collector, asked less often
tally.py        what a run did, costs.py what it cost; progress.py shows it

standing.py     how a pipeline stands, for the commands and the admin; causes.py, leftover.py, lookup.py,
                details.py, explain.py, readable.py and retry.py likewise
"""
