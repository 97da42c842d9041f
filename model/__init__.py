"""What is computed: numbers, programs, the golden model and training. No Amaranth below."""
