"""Workbooks: portfolios read from Excel, templates to fill in, and plans written for auditors to trace."""
