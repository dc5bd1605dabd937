#include "clients/cli/fold_names.hpp"

#include <doctest/doctest.h>

using continuo::cli::fold_names;
using continuo::cli::NamedLine;
using Groups = std::vector<std::vector<std::size_t>>;

TEST_CASE("numbered names that say the same are one line, in the place of the first") {
  CHECK(fold_names({}).empty());
  CHECK(fold_names({{"b1.f", "x"}, {"b1.q", "y"}, {"b2.f", "x"}, {"b2.q", "y"}, {"mute", ""}}) ==
        Groups{{0, 2}, {1, 3}, {4}});
  std::vector<NamedLine> matrix{{"channels", ""}};
  for (int o = 1; o <= 16; ++o) {
    for (int i = 1; i <= 16; ++i) matrix.push_back({"gain." + std::to_string(o) + "_" + std::to_string(i), "-4 to 4"});
  }
  const Groups folded = fold_names(matrix);
  REQUIRE(folded.size() == 2);
  CHECK(folded[1].size() == 256);
  CHECK(folded[1].front() == 1);
  CHECK(folded[1].back() == 256);
}

TEST_CASE("what a range would not say right stays apart") {
  CHECK(fold_names({{"a1", ""}, {"a2", ""}, {"a4", ""}}) == Groups{{0}, {1}, {2}});
  CHECK(fold_names({{"a1_1", ""}, {"a2_2", ""}}) == Groups{{0}, {1}});
  CHECK(fold_names({{"a1", "x"}, {"a2", "y"}, {"a3", "x"}}) == Groups{{0}, {1}, {2}});
  CHECK(fold_names({{"a1", ""}, {"b2", ""}}) == Groups{{0}, {1}});
  CHECK(fold_names({{"a1", ""}, {"a1", ""}}) == Groups{{0}, {1}});
  CHECK(fold_names({{"a0", ""}, {"a4294967295", ""}}) == Groups{{0}, {1}});
}
