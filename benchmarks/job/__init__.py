"""What both sides of the comparison share: the models to fill, the database settings, the measuring.

Nothing in here imports either side.
"""
