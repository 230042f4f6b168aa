"""The two searches by gradients: their supernets, what is read off these, and the networks made of that."""

from dataclasses import dataclass

from ...config.search import NET_TYPES
from ...genotypes.attention import AttentionGenotype
from ...genotypes.cell import CellEdges, CellGenotype
from ...genotypes.files import document
from ...models.factory import get_model
from .attention_supernet import AttentionSupernet
from .cell_supernet import KINDS, CellSupernet
from .derive import attention_genotype_of, cell_genotype_of
from .space import ATTENTION_CHOICES, DARTS_OPS, attention_space, cell_space


@dataclass(frozen=True)
class CellSearch:
    """Att-DARTS: cells with attention. config: an `AttDartsConfig`."""

    config: object

    @property
    def space(self):
        """Arguments of `space.cell_space`."""
        given = self.config.space
        attentions = given.attentions or ATTENTION_CHOICES[1:]
        named = attentions if attentions[0].lower() == "identity" else ("Identity", *attentions)
        return {"location": given.location, "attentions": named, "operations": given.operations or DARTS_OPS,
                "nodes": given.nodes}  # fmt: skip

    def supernet(self, classes, input_size):
        """The search network, uninitialized."""
        given = self.config.space
        sizes = {"channels": given.channels, "layers": given.layers, "partial_channels": given.partial_channels}
        return CellSupernet(classes, input_size=input_size, **sizes, **self.space)

    def derive(self, weights):
        """(genotype, edges of its normal cell) of mixing weights."""
        genotype = cell_genotype_of(weights, cell_space(**self.space), self.config.search.skip_limit)
        return genotype, genotype.normal.edges

    def choices(self):
        """Mixing weight -> names of its choices."""
        space = cell_space(**self.space)
        layers = {"alphas": space.first, "betas": space.second, "gammas": space.last}
        return {f"{name}_{kind}": names for name, names in layers.items() for kind in KINDS if names}

    def by_chance(self, random):
        """A genotype of layers and inputs drawn by a NumPy generator."""
        space = cell_space(**self.space)
        kinds = [[name for name in names if name != "none"] for names in (space.first, space.second, space.last)]
        cells = []
        for _ in range(2):
            edges = []
            for node in range(space.nodes):
                for source in sorted(random.choice(2 + node, 2, replace=False)):
                    edges.append((_any(random, kinds[0]), int(source), _any(random, kinds[1])))
            cells.append(CellEdges(edges, list(range(2, 2 + space.nodes)), _any(random, kinds[2])))
        return CellGenotype(*cells)

    def document(self, genotype, **about):
        """Plain data of a genotype file."""
        return document("att-darts", genotype.to_dict(), location=self.config.space.location, **about)

    def network(self, genotype, classes, input_size):
        """The network of the search's size that has these cells."""
        given = self.config.space
        sizes = {"channels": given.channels, "layers": given.layers}
        return get_model("darts_cifar", classes, genotype=genotype.to_dict(), input_size=input_size, **sizes)


@dataclass(frozen=True)
class AttentionSearch:
    """ANAS: an attention for the blocks of a ResNet. config: an `AnasConfig`."""

    config: object

    @property
    def space(self):
        """Arguments of `space.attention_space`."""
        given = self.config.space
        return {"nodes": given.nodes, **({"operations": given.operations} if given.operations else {})}

    def supernet(self, classes, input_size):
        """The search network, uninitialized."""
        blocks = NET_TYPES[self.config.space.net_type]
        return AttentionSupernet(classes, blocks=blocks, input_size=input_size, **self.space)

    def derive(self, weights):
        """(genotype, its edges) of mixing weights."""
        genotype = attention_genotype_of(weights, attention_space(**self.space), self.config.search.skip_limit)
        return genotype, genotype.att

    def choices(self):
        """Mixing weight -> names of its choices."""
        return {"alphas": attention_space(**self.space).operations}

    def by_chance(self, random):
        """A genotype of operations and inputs drawn by a NumPy generator."""
        space = attention_space(**self.space)
        names, edges = [name for name in space.operations if name != "none"], []
        for node in range(space.nodes):
            sources = sorted(random.choice(2 + node, 2, replace=False))
            edges += [(_any(random, names), int(source)) for source in sources]
        return AttentionGenotype(edges)

    def document(self, genotype, **about):
        """Plain data of a genotype file."""
        cells = {"attention": {"edges": genotype.to_dict()["att"]}}
        return document("anas", cells, net_type=self.config.space.net_type, **about)

    def network(self, genotype, classes, input_size):
        """The ResNet of the search with this attention."""
        name = f"anas_{self.config.space.net_type}"
        return get_model(name, classes, genotype=genotype.to_dict(), input_size=input_size)


#: what a search is called -> its class
METHODS = {"att-darts": CellSearch, "anas": AttentionSearch}


def _any(random, names):
    return str(random.choice(names)) if names else ""
