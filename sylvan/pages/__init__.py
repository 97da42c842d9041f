"""Pages for people: one HTML file each, which needs no network and no server."""
