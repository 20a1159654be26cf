"""The law as data: what statutes ask of a plan, the rows they put in force, and how a plan is judged by them."""
