"""What `datamate demo` shows: a sample of messy documents, a recipe, and the platform at work on them."""
