"""Rules in CEL: compiling, types, and running them."""
