"""How a tracker filters positions: which pass (`passing`), and what of fixes is stored and evaluated so."""
