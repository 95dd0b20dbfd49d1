"""Importers, one file a format. ``IMPORTERS`` in ``importing.py`` lists them by the name that ``--format`` takes."""
