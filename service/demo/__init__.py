"""`overfly demo`: the whole way of a position on one computer, with nothing else installed."""
