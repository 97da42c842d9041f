"""Hardware operators: streams of beats in, streams of beats out, with stated latency."""
