"""The operator library: what an operator is, the operators that ship with DataMate, and how to find them."""
