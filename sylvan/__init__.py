"""Sylvan: quantized recurrent networks as streaming adder trees."""
