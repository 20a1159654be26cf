"""The rows of a model written out under the names of their columns, so that a test can state them whole."""


def column_names(model):
    """Return a name for each column.

    An option is "P 2021", in a mode "P/a 2021"; what source S pays of account 0 in the cell that begins in 2021 is
    "S 2021 #0".  What comes behind these is named by its kind and key.
    """
    options, payments, *others = model.columns
    assert (options.kind, payments.kind) == ("option", "payment")
    return [
        *(f"{project}/{mode} {year}" if mode else f"{project} {year}" for project, mode, year in options.keys),
        *(f"{source} {year} #{account}" for account, source, year in payments.keys),
        *(f"{block.kind} {key}" for block in others for key in block.keys),
    ]


def written(model, kind):
    """Return the rows of one kind as (key, lower side, {column: coefficient}, upper side)."""
    names, rows = column_names(model), []
    for number in range(model.matrix.shape[0]):
        origin = model.row_origin(number)
        if origin.kind == kind:
            entries = model.matrix[[number]].tocoo()
            terms = {names[column]: value for column, value in zip(entries.coords[1], entries.data, strict=True)}
            rows.append((origin.key, model.row_lower[number], terms, model.row_upper[number]))
    return rows
