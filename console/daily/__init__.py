"""The morning check: what is asked (`ask`), the rules (`rules`), what a failed line leads to (`remedies`), and the texts."""
