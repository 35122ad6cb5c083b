"""The paper's losses, one equation each: named tensors in, one value per pair out; `objective` adds their means up."""
