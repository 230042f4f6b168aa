// The entry point of the library, and the switch that holds for all its convolutions.

#include "common.h"

bool weight_gradients = true;

// 0: backward passes of convolutions leave the gradients of their weights untouched; see `kernels.inputs_only`.
extern "C" void gluon_attn_set_weight_gradients(int wanted) { weight_gradients = wanted; }

MXReturnValue initialize(int) { return MX_SUCCESS; }
