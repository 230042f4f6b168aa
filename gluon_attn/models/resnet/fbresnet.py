"""ResNet-50 whose convolutions have biases, as EAN's experiments take it, alone and with one attention a stage.

EAN: Huang et al. 2020, https://arxiv.org/abs/2011.14058. A `scheme` has one bit for each of the 16 blocks (3, 4, 6
and 3 in the stages): where it is 0, the block goes without the module that its stage's blocks share. The paper found
1001011010011011 for SGE and 1100011110010011 for DIA.
"""

from .. import variants
from ..base import MODELS, Model
from ..plan import Plan
from .resnet import Design, ResNet

KIND, BLOCKS = variants.RESNET[50]
DESIGN = Design(KIND, bias=True, head="last_linear")


def _fbresnet50(plan, classes, *, input_size=224, last_gamma=False):
    return ResNet(DESIGN, BLOCKS, plan, classes, input_size=input_size, last_gamma=last_gamma)


def _shared(name, scheme, **options):
    """The plan of one module a stage."""
    return Plan([{"name": name, "shared": True, "scheme": scheme, "options": options}])


def _dia_fbresnet50(plan, classes, *, scheme=None, reduction=20, input_size=224, last_gamma=False):
    plan = _shared("dia", scheme, reduction=reduction)
    return _fbresnet50(plan, classes, input_size=input_size, last_gamma=last_gamma)


def _se_fbresnet50(plan, classes, *, scheme=None, reduction=16, input_size=224, last_gamma=False):
    plan = _shared("se", scheme, reduction=reduction)
    return _fbresnet50(plan, classes, input_size=input_size, last_gamma=last_gamma)


def _sge_fbresnet50(plan, classes, *, scheme=None, variant="paper", input_size=224, last_gamma=False):
    plan = _shared("sge", scheme, groups=64, variant=variant)
    return _fbresnet50(plan, classes, input_size=input_size, last_gamma=last_gamma)


#: names, the first ours and the second EAN's
for _names, _build in (
    (("fbresnet50",), _fbresnet50),
    (("dia_fbresnet50", "forward_dia_fbresnet50"), _dia_fbresnet50),
    (("se_fbresnet50", "forward_config_share_se_resnet50"), _se_fbresnet50),
    (("sge_fbresnet50", "forward_config_share_sge_resnet50"), _sge_fbresnet50),
):
    MODELS.register(*_names)(Model(_build, 224, stages=4, own_plan=_build is not _fbresnet50, blocks=BLOCKS))
