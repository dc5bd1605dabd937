#include "rt/nodes/mix.hpp"

#include <doctest/doctest.h>

#include "tests/support/rig.hpp"

namespace {

using namespace continuo;
using test::Rig;

test::Channels mix(std::uint32_t inputs, const std::vector<std::uint32_t>& pattern) {
  Rig rig(1);
  rig.in.resize(inputs);
  for (std::uint32_t c = 0; c < inputs; ++c)
    for (std::uint32_t i = 0; i < 700; ++i) rig.in[c].push_back(test::probe(i, c));
  test::PlanBuilder b;
  auto in = b.node(rig.node(rt::device_input_kind()), {}, inputs);
  b.node(rig.node(rt::device_output_kind()), b.node(rig.node(rt::mix_kind()), in, 1), 0);
  rig.send(b.build(), {});
  rig.run(700, pattern);
  return rig.out;
}

}  // namespace

TEST_CASE("mix: leaves of 16 in order, each from its first, then the leaves in order, for any number and any cut") {
  for (const std::uint32_t n : {0u, 1u, 2u, 5u, 15u, 16u, 17u, 18u, 31u, 32u, 33u, 64u, 100u}) {
    test::Channels expected(1, std::vector<float>(700, 0.0f));
    for (std::uint32_t i = 0; i < 700; ++i) {
      float total = 0.0f;
      for (std::uint32_t first = 0; first < n; first += 16) {
        float leaf = test::probe(i, first);
        for (std::uint32_t k = first + 1; k < std::min(n, first + 16); ++k) leaf += test::probe(i, k);
        total = first == 0 ? leaf : total + leaf;
      }
      expected[0][i] = total;
    }
    for (const auto& pattern : test::buffer_patterns()) REQUIRE(test::same_bits(mix(n, pattern), expected));
  }
}

TEST_CASE("mix: one input is copied bit for bit, minus zero too") {
  Rig rig(1);
  rig.in = {{-0.0f, 1.0f, -0.0f}};
  test::PlanBuilder b;
  b.node(rig.node(rt::device_output_kind()),
         b.node(rig.node(rt::mix_kind()), b.node(rig.node(rt::device_input_kind()), {}, 1), 1), 0);
  rig.send(b.build(), {});
  rig.run(3);
  CHECK(test::same_bits(rig.out, rig.in));
}
