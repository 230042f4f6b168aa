"""The two gradient searches: their spaces, supernets, derivation of genotypes, and the networks built from these."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from mxnet.gluon import HybridBlock

from ...config.search import NET_TYPES, AnasConfig, AttDartsConfig
from ...genotypes.attention import AttentionGenotype
from ...genotypes.cell import CellEdges, CellGenotype
from ...genotypes.files import document
from ...models.factory import get_model
from .attention_supernet import AttentionSupernet
from .cell_supernet import CELL_KINDS, CellSupernet
from .derive import derive_attention_genotype, derive_cell_genotype
from .space import ATT_DARTS_ATTENTIONS, DARTS_OPS, AttentionSpace, CellSpace, attention_space, cell_space

Genotype = CellGenotype | AttentionGenotype
#: edges of a genotype, (operation, input, ...) each
Edges = Sequence[Sequence[Any]]


class SearchMethod(Protocol):
    """What a gradient search offers; made from its config: `METHODS[config.kind](config)`."""

    @property
    def space(self) -> CellSpace | AttentionSpace:
        """The search space."""

    def supernet(self, classes: int, input_size: int) -> HybridBlock:
        """The search network, uninitialized; it has `arch_parameters()`.

        Args:
            classes: number of outputs.
            input_size: height of the images.
        """

    def derive(self, arch: Mapping[str, np.ndarray]) -> tuple[Genotype, Edges]:
        """Derives a genotype.

        Args:
            arch: architecture parameters, name -> array.

        Returns:
            The genotype, and the edges whose skip connections count.
        """

    def candidates(self) -> dict[str, tuple[str, ...]]:
        """Architecture parameter -> names of its candidates, which its last axis indexes."""

    def sample(self, random: np.random.Generator) -> Genotype:
        """A genotype drawn uniformly at random, without "none"."""

    def document(self, genotype: Any, **about: Any) -> dict[str, Any]:
        """Plain data of a genotype file.

        Args:
            genotype: the genotype.
            about: further entries: seed, epoch, score and the like.
        """

    def network(self, genotype: Any, classes: int, input_size: int) -> HybridBlock:
        """The network of a genotype, in the size of the search, uninitialized.

        Args:
            genotype: the genotype.
            classes, input_size: as of `supernet`.
        """


@dataclass(frozen=True)
class CellSearch:
    """Att-DARTS: normal and reduction cells with attention.

    Attributes:
        config: the options of the search.
    """

    config: AttDartsConfig

    @property
    def space(self) -> CellSpace:
        """The search space."""
        return cell_space(**self._space_options())

    def _space_options(self) -> dict[str, Any]:
        options = self.config.space
        attentions = options.attentions or ATT_DARTS_ATTENTIONS[1:]
        with_identity = attentions if attentions[0].lower() == "identity" else ("Identity", *attentions)
        return {"location": options.location, "attentions": with_identity,
                "operations": options.operations or DARTS_OPS, "nodes": options.nodes}  # fmt: skip

    def supernet(self, classes: int, input_size: int) -> CellSupernet:
        """The search network, uninitialized; see `SearchMethod.supernet`."""
        options = self.config.space
        sizes = {"channels": options.channels, "layers": options.layers, "partial_channels": options.partial_channels}
        return CellSupernet(classes, input_size=input_size, **sizes, **self._space_options())

    def derive(self, arch: Mapping[str, np.ndarray]) -> tuple[CellGenotype, Edges]:
        """(genotype, edges of its normal cell), see `SearchMethod.derive`."""
        genotype = derive_cell_genotype(arch, self.space, self.config.search.skip_limit)
        return genotype, genotype.normal.edges

    def candidates(self) -> dict[str, tuple[str, ...]]:
        """Architecture parameter -> names of its candidates."""
        space = self.space
        layers = {"alphas": space.first, "betas": space.second, "gammas": space.last}
        return {f"{name}_{kind}": names for name, names in layers.items() for kind in CELL_KINDS if names}

    def sample(self, random: np.random.Generator) -> CellGenotype:
        """A genotype whose layers and inputs are drawn uniformly at random."""
        space = self.space
        first, second, last = (
            [name for name in names if name != "none"] for names in (space.first, space.second, space.last)
        )
        cells = []
        for _ in CELL_KINDS:
            edges = []
            for node in range(space.nodes):
                for source in sorted(random.choice(2 + node, 2, replace=False)):
                    edges.append((_draw(random, first), int(source), _draw(random, second)))
            cells.append(CellEdges(tuple(edges), tuple(range(2, 2 + space.nodes)), _draw(random, last)))
        return CellGenotype(*cells)

    def document(self, genotype: CellGenotype, **about: Any) -> dict[str, Any]:
        """Plain data of a genotype file, see `SearchMethod.document`."""
        return document("att-darts", genotype.to_dict(), location=self.config.space.location, **about)

    def network(self, genotype: CellGenotype, classes: int, input_size: int) -> HybridBlock:
        """The network of these cells, see `SearchMethod.network`."""
        space, cells = self.config.space, genotype.to_dict()
        return get_model(
            "darts_cifar", classes, genotype=cells, input_size=input_size, channels=space.channels, layers=space.layers
        )  # fmt: skip


@dataclass(frozen=True)
class AttentionSearch:
    """ANAS: an attention cell for the blocks of a CIFAR ResNet.

    Attributes:
        config: the options of the search.
    """

    config: AnasConfig

    @property
    def space(self) -> AttentionSpace:
        """The search space."""
        return attention_space(**self._space_options())

    def _space_options(self) -> dict[str, Any]:
        options = self.config.space
        return {"nodes": options.nodes, **({"operations": options.operations} if options.operations else {})}

    def supernet(self, classes: int, input_size: int) -> AttentionSupernet:
        """The search network, uninitialized; see `SearchMethod.supernet`."""
        blocks = NET_TYPES[self.config.space.net_type]
        return AttentionSupernet(classes, blocks=blocks, input_size=input_size, **self._space_options())

    def derive(self, arch: Mapping[str, np.ndarray]) -> tuple[AttentionGenotype, Edges]:
        """(genotype, its edges), see `SearchMethod.derive`."""
        genotype = derive_attention_genotype(arch, self.space, self.config.search.skip_limit)
        return genotype, genotype.att

    def candidates(self) -> dict[str, tuple[str, ...]]:
        """Architecture parameter -> names of its candidates."""
        return {"alphas": self.space.operations}

    def sample(self, random: np.random.Generator) -> AttentionGenotype:
        """A genotype whose operations and inputs are drawn uniformly at random."""
        space = self.space
        names, edges = [name for name in space.operations if name != "none"], []
        for node in range(space.nodes):
            sources = sorted(random.choice(2 + node, 2, replace=False))
            edges += [(_draw(random, names), int(source)) for source in sources]
        return AttentionGenotype(tuple(edges))

    def document(self, genotype: AttentionGenotype, **about: Any) -> dict[str, Any]:
        """Plain data of a genotype file, see `SearchMethod.document`."""
        cells = {"attention": {"edges": genotype.to_dict()["att"]}}
        return document("anas", cells, net_type=self.config.space.net_type, **about)

    def network(self, genotype: AttentionGenotype, classes: int, input_size: int) -> HybridBlock:
        """The ResNet of the search with this attention, see `SearchMethod.network`."""
        name = f"anas_{self.config.space.net_type}"
        return get_model(name, classes, genotype=genotype.to_dict(), input_size=input_size)


#: `kind` of a config -> the search method
METHODS: dict[str, Callable[[Any], SearchMethod]] = {"att-darts": CellSearch, "anas": AttentionSearch}


def _draw(random: np.random.Generator, names: Sequence[str]) -> str:
    """One of the names at random; "" if there are none."""
    return str(random.choice(names)) if names else ""
