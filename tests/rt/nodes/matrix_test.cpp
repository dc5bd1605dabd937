#include "rt/nodes/matrix.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/rig.hpp"

namespace {

using namespace continuo;
using test::Rig;
using P = rt::MatrixParam;

struct MatrixRig : Rig {
  MatrixRig(std::uint32_t ins, std::uint32_t outs, std::uint32_t frames)
      : Rig(outs), matrix(adopt(std::unique_ptr<rt::Node>(rt::make_matrix(1)))) {
    in.resize(ins);
    for (std::uint32_t c = 0; c < ins; ++c)
      for (std::uint32_t i = 0; i < frames; ++i) in[c].push_back(test::probe(i, c));
    for (std::uint32_t c = 0; c < rt::kMatrixChannels; ++c) gain(c, c, 1.0);
    test::PlanBuilder b;
    b.node(node(rt::device_output_kind()), b.node(matrix, b.node(node(rt::device_input_kind()), {}, ins), outs), 0);
    send(b.build(), {});
  }
  void gain(std::uint32_t o, std::uint32_t i, double factor) { matrix.params[P::gain(o, i)] = rt::Param(factor); }
  rt::Node& matrix;
};

}  // namespace

TEST_CASE("a matrix of ones on its diagonal passes every channel, and is silent where nothing comes in") {
  for (const std::uint32_t ins : {1u, 2u, 5u, 16u, 20u}) {
    MatrixRig rig(ins, 16, 500);
    rig.run(500, {17});
    for (std::uint32_t o = 0; o < 16; ++o)
      for (std::size_t i = 0; i < 500; ++i) REQUIRE(rig.out[o][i] == (o < ins ? rig.in[o][i] : 0.0f));
  }
}

TEST_CASE("every output is the sum of the inputs times their factors") {
  MatrixRig rig(16, 16, 300);
  const auto factor = [](std::uint32_t o, std::uint32_t i) {
    return static_cast<double>(test::probe(o * 100 + i)) * 4.0;
  };
  for (std::uint32_t o = 0; o < 16; ++o)
    for (std::uint32_t i = 0; i < 16; ++i) rig.gain(o, i, factor(o, i));
  rig.run(300, {100});
  for (std::uint32_t o = 0; o < 16; ++o)
    for (std::size_t k = 0; k < 300; ++k) {
      double sum = 0.0;
      for (std::uint32_t i = 0; i < 16; ++i) sum += factor(o, i) * static_cast<double>(rig.in[i][k]);
      REQUIRE(std::abs(static_cast<double>(rig.out[o][k]) - sum) < 2e-5);
    }
}

TEST_CASE("a matrix ramps: the same bits for any buffers, no step, and bypass is straight through") {
  test::Channels reference;
  for (const auto& pattern : test::buffer_patterns()) {
    MatrixRig rig(3, 2, 4000);
    for (auto& c : rig.in) std::fill(c.begin(), c.end(), 1.0f);
    rig.gain(0, 2, 0.5);
    rig.set(1, P::gain(0, 1), -2.0, 500, 333);
    rig.set(1, P::gain(1, 1), 0.0, 600, 480);
    rig.set(1, P::bypass, 1.0, 2000, 480);
    rig.run(4000, pattern);
    if (reference.empty()) reference = rig.out;
    REQUIRE(test::same_bits(reference, rig.out));
  }
  CHECK(reference[0][499] == 1.5f);
  CHECK(reference[0][833] == -0.5f);
  CHECK(reference[1][1080] == 0.0f);
  CHECK(reference[0][2480] == 1.0f);
  CHECK(reference[1][2480] == 1.0f);
  for (std::size_t i = 1; i < 4000; ++i) REQUIRE(std::abs(reference[0][i] - reference[0][i - 1]) < 0.0061f);
}
