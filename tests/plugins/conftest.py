"""Plugins as others write them: distributions of their own, which are tested where they are installed, never here."""

collect_ignore_glob = ["*/*"]
