"""PostgreSQL for ISEKAI. Nothing is imported here, so that listing plugins stays quick.

plugin.py       what is registered
seed.py         the table seeder; catalog.py and values.py: what a table is, and what its values become
slices.py       the source and target of slices, whose steps are:

estimate.py     what a slice would hold
export.py       out of one snapshot, by COPY, into a bundle
staging.py      a bundle into temporary tables
merge.py        staged rows into those of the target; unload.py takes them out again

reading/        what an export takes:
                snapshot.py: connections that see the same; workers.py: several at work; tables.py: what is there
                keys.py: which rows; sets.py, growth.py and cycles.py are their sets, sql.py and compiling.py their SQL
                copying.py: rows off the connection; frames.py: the messages they come in
loading/        what a load takes:
                session.py: its one transaction; joining.py: another's; work.py: what its steps share
                target.py: the tables there; drift.py: whether a bundle fits them; fresh.py: whether they are empty
                idmap.py: new keys; found.py: those that are there
                ledger.py: those of earlier loads; counters.py: whether they still hold
                references.py and generic.py: what foreign keys become; statements.py writes the rows
                rebuild.py: indexes and constraints

connection.py   connections, and reasons.py their errors in words
names.py        names of tables, and keys as generic foreign keys hold them
"""
