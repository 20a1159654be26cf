"""The checks across tables, one small function a fault; :mod:`capalloc.checking` lists and runs them."""
