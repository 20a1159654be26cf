"""Engines: several ways to solve the same :class:`~capalloc.model.LinearModel`. They know no domain."""
