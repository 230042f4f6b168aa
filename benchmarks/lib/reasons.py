"""Why some attentions are slower than in PyTorch: the operator, from MXNet's profiler, and what was tried."""

_PRODUCTS = "products of pixels with pixels, by OpenBLAS (PyTorch has oneDNN's or MKL's)"

#: attention -> text, shown if its ratio is above 1
REASONS: dict[str, str] = {
    "aa": _PRODUCTS,
    "bot": _PRODUCTS,
    "cot": "sums and products over the nine pixels of a window; the norm's gradient is kept off a layout that is 60 "
    "times slower",
    "danet": f"{_PRODUCTS}; compiled softmax without denormal numbers and OpenBLAS's AVX2 kernels took it from 2.6",
    "ge_theta_plus": "the gradient of the depthwise strided convolutions in oneDNN 2.4",
    "nonlocal": f"{_PRODUCTS}; compiled softmax and OpenBLAS's AVX2 kernels took it from 2.0",
    "pam": f"{_PRODUCTS}; compiled softmax and OpenBLAS's AVX2 kernels took it from 1.9",
}
