"""What can be asked for: the table of operations, its parameters, and the operator's rules about them."""
