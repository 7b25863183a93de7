"""The pipeline: one module per stage, what runs them, and a folder for what each part is made of.

definition.py   Pipeline and use: what people write
composing/      names and options become processors:
                discover.py: where pipelines are found, in apps and isekai.toml; compose.py: what they are made of
                fit.py: whether stages can meet; absent.py: what to install for one that is not here
                check.py looks closer, for `isekai pipelines check`; explain.py: who would do what, and why

engine.py       runs a pipeline: seed, then the front, then load; lease.py says who runs it
helping/        further processes for the front: helpers.py asks for them, helper.py is one
seed.py         the five stages; given.py looks at what processors give, repeats.py: keys that come again
front.py        extract, mine and transform, in one claim and one write
extract.py
mine.py
transform.py
load.py         rows, in the order of the graph of refs, order.py; resolve.py: refs become values
loading/        what a load takes:
                writer.py: a batch in one transaction; cycles.py: what needs one another
                match.py: which rows exist; create.py makes new ones; moments.py: dates with a zone
                aliases.py: redirects; answers.py: what rows are asked for; foretell.py: addresses of rows to come

journal.py      claims and batched writes; work.py: a resource in memory
store/          what the journal writes with:
                rows.py: their SQL, and copying.py its COPY; family.py: who found whom
                payloads.py: bytes in the database and in storage; packing.py: how they are packed
                provenance.py: which processor of which version did what

tally.py        what a run did; costs.py: what it cost
again.py        what is done again; retry.py: what failed is tried again
reports/        how a pipeline stands, for the commands and the admin:
                standing.py: in numbers; progress.py: while it runs; causes.py: why resources failed
                leftover.py: links to what did not come; lookup.py: a resource by its key
                details.py: all there is to know of it; readable.py: in words
garbage.py      Python's collector, asked less often
"""
