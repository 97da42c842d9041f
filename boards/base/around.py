"""What the link of a board takes besides the core, by family: found by bench/boards.py."""

from sylvan.hw.targets import Around

# around: begin
AROUND = {
    "xilinx": Around(457, 384, 2),
    "ecp5": Around(703, 375, 2),
    "ice40": Around(849, 389, 3),
    "gowin": Around(983, 381, 2),
}
# around: end
