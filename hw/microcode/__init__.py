"""The smallest core: one adder that works through a timestep as a microprogram says.

    program --(terms)--> sums --(tasks)--> loops over memory --(assembler)--> microprogram
                                                 |                                  |
                                             (places)                           (engine)

All vectors lie in one memory. Every operation that is linear is a sum of powers of two of elements,
gated or signed by bits of weights, and so are products with constants; what is left is narrowing,
on the way into the memory, and the choice of a class.
"""
