"""The smallest core: one adder that works through a timestep as a microprogram says.

    program --(sums, of terms)--> values --(work)--> tasks --(assembler)--> microprogram
                                                                |                |
                                                            (places)        (plan, engine)

All vectors lie in one memory. Every operation that is linear is a sum of powers of two of elements,
gated or signed by bits of weights; a product of elements is one whose terms the bits of a factor
gate. What is left is narrowing, on the way into the memory, tables, and the choice of a class.
"""
