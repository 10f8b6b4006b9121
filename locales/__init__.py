"""The words that members read, in their own language: the catalogues and how to ask them."""
