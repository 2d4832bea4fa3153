"""The shop: what it sells, to whom, and the views over it."""
