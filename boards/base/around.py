"""What the link of a board takes besides the core, by family: found by bench/boards.py."""

from sylvan.hw.targets import Around

# around: begin
AROUND = {
    "ice40": Around(690, 315, 3),
}
# around: end
