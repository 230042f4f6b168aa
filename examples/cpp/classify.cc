// Runs an exported symbol with MXNet's C predict API.
//
//   classify PREFIX N,C,H,W FILE
//
// PREFIX-symbol.json and PREFIX-0000.params come from `gluon-attn export --format symbol`; FILE holds N*C*H*W normalised
// numbers, float32, as NumPy's tofile writes them. Prints the logits, a line an image.

#include <cstdint>  // MXNet's header uses it without including it

#include <mxnet/c_predict_api.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

static void check(bool good, const std::string& complaint) {
  if (!good) {
    std::cerr << "error: " << complaint << "\n";
    std::exit(2);
  }
}

static std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  check(file.good(), "cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

int main(int count, char** words) {
  check(count == 4, "usage: classify PREFIX N,C,H,W FILE");
  const std::string prefix = words[1];
  std::vector<uint32_t> shape;
  std::istringstream text(words[2]);
  for (std::string part; std::getline(text, part, ',');) shape.push_back(std::stoul(part));
  check(shape.size() == 4, "the shape is N,C,H,W");

  const std::string graph = read(prefix + "-symbol.json"), weights = read(prefix + "-0000.params");
  const std::string numbers = read(words[3]);
  const size_t size = size_t(shape[0]) * shape[1] * shape[2] * shape[3];
  check(numbers.size() == size * sizeof(float), "the file does not hold that many numbers");

  const char* input = "data";
  const uint32_t bounds[] = {0, 4};
  PredictorHandle net = nullptr;
  check(MXPredCreate(graph.c_str(), weights.data(), int(weights.size()), 1, 0, 1, &input, bounds, shape.data(), &net) == 0,
        MXGetLastError());
  check(MXPredSetInput(net, input, reinterpret_cast<const float*>(numbers.data()), uint32_t(size)) == 0,
        MXGetLastError());
  check(MXPredForward(net) == 0, MXGetLastError());

  uint32_t *dims = nullptr, axes = 0;
  check(MXPredGetOutputShape(net, 0, &dims, &axes) == 0, MXGetLastError());
  const size_t rows = dims[0], classes = dims[1];
  std::vector<float> logits(rows * classes);
  check(MXPredGetOutput(net, 0, logits.data(), uint32_t(logits.size())) == 0, MXGetLastError());
  std::cout.precision(9);
  for (size_t i = 0; i < logits.size(); ++i) std::cout << logits[i] << ((i + 1) % classes ? ' ' : '\n');
  MXPredFree(net);
}
