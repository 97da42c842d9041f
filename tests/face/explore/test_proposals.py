"""Which networks a search looks at, and in what order."""

from typing import Any

import pytest
from sylvan.model.config import Config

from sylvan.explore.networks import Network, Space
from sylvan.explore.proposals import Proposals
from sylvan.explore.questions import question
from sylvan.explore.spec import Search

SPACE = Space(
    Config("digits"),
    {"hidden": tuple(range(16, 272, 16)), "weight_bits": (2, 3, 4, 5), "state_bits": (8, 10, 12)},
)
ASKED = question("accuracy >= 0.5, max accuracy, min luts")


def figures(network: Network) -> list[dict[str, Any]]:
    """The best accuracy is that of 160 units and weights of 4 bits."""
    off = abs(network.config.hidden - 160) / 200 + abs((network.config.weight_bits or 0) - 4) / 20
    return [{"accuracy": 1 - off, "luts": 10 * network.config.hidden}]


def proposed(search: Search, known: list[Network] | None = None) -> list[Network]:
    proposals = Proposals(SPACE, search, ASKED, known or [])
    found = []
    for network in proposals:
        found.append(network)
        proposals.tell(network, figures(network))
    assert len({network.identity for network in found}) == len(found)
    return found


def test_a_grid_is_everything_once() -> None:
    assert len(proposed(Search("grid"))) == SPACE.size == 16 * 4 * 3
    assert len(proposed(Search("grid", networks=7))) == 7


@pytest.mark.parametrize("method", ["random", "nsga2", "tpe"])
def test_a_seed_settles_a_search(method: str) -> None:
    one, same, other = (proposed(Search(method, 30, seed=seed)) for seed in (1, 1, 2))
    assert [n.choice for n in one] == [n.choice for n in same] != [n.choice for n in other]
    assert len(one) == 30


@pytest.mark.parametrize("method", ["random", "nsga2", "tpe"])
def test_what_is_known_comes_first_and_counts(method: str) -> None:
    known = list(SPACE.networks())[5:15]
    found = proposed(Search(method, 30, seed=1), known)
    assert found[:10] == known and len(found) == 30


@pytest.mark.parametrize("method", ["random", "nsga2", "tpe"])
def test_a_space_has_an_end(method: str) -> None:
    assert len(proposed(Search(method, 1000))) == SPACE.size


@pytest.mark.parametrize("method", ["nsga2", "tpe"])
def test_a_search_learns(method: str) -> None:
    """More of its late networks are accurate than of a random sample, whatever the seed."""

    def accurate(method: str, seed: int) -> int:
        late = proposed(Search(method, 90, seed=seed))[45:]
        return sum(figures(network)[0]["accuracy"] > 0.75 for network in late)

    learned = sum(accurate(method, seed) for seed in range(4))
    assert learned > 1.3 * sum(accurate("random", seed) for seed in range(4))


def test_a_failed_network_is_no_end() -> None:
    proposals = Proposals(SPACE, Search("tpe", 20), ASKED, [])
    count = 0
    for network in proposals:
        proposals.tell(network, [] if count % 2 else figures(network))
        count += 1
    assert count == 20
