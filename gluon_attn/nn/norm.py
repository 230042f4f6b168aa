"""Batch normalisation that has compiled operators."""

from mxnet.gluon import nn

from .convolution import compiled
from .gates import NORMED


class BatchNorm(nn.BatchNorm):
    """Gluon's, for maps that oneDNN's convolutions did not make; parameters, their names and results are the same."""

    apart = False

    def leave_apart(self):
        """With compiled operators leave the map with its statistics, as a tuple, to the `fast.weighted_sum` behind.

        For a norm without scale and shift, with the momentum and eps of `gates.NORMED`; no other changes.
        """
        usual = all(self._kwargs[name] == value for name, value in NORMED.items())
        self.apart = usual and self._kwargs["fix_gamma"] and self.beta.grad_req == "null"

    def hybrid_forward(self, F, x, gamma, beta, running_mean, running_var):
        if not compiled(self) or self._kwargs["use_global_stats"]:
            return super().hybrid_forward(F, x, gamma, beta, running_mean, running_var)
        # MXNet's own norm, of two numbers a channel that have the same mean and variance, knows whether these or the
        # running ones count; of (2,C,1,1), since with (2,C) it can crash
        moments = F.BlockGrad(F.gluon_attn_moments(F.BlockGrad(x)))
        running = running_mean, running_var
        fixed = F.BlockGrad(gamma), F.BlockGrad(beta)  # without a backward pass it leaves the running ones alone
        kept = F.BatchNorm(moments, *fixed, *running, **{**self._kwargs, "output_mean_var": True})
        normal, mean, scale = (F.BlockGrad(kept[i]) for i in range(3))
        if self.apart:
            return x, moments, normal, mean, scale, *running
        return F.gluon_attn_norm(
            x, moments, normal, mean, scale, gamma, beta, *running, scaled=int(not self._kwargs["fix_gamma"]),
            momentum=self._kwargs["momentum"], eps=self._kwargs["eps"],
        )  # fmt: skip
