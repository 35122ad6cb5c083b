"""Methods: whatever turns the two modalities into codes of one space; MASLN and the methods it is compared with."""
