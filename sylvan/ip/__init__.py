"""Drop-in IP: a core as a folder for somebody who has Verilog tools and nothing else."""
