"""What makes the pages of the documentation: their tables, the output of their examples, and their formulas."""
