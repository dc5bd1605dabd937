#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "tests/server/session/plan_checks.hpp"
#include "tests/server/session/random_document.hpp"
#include "tests/server/session/reference.hpp"

using namespace continuo;
using namespace continuo::session;

namespace {

constexpr std::uint32_t kFrames = 320;

std::string difference(const test::Sound& got, const test::Sound& want, const std::string& what) {
  for (std::size_t c = 0; c < std::min(got.size(), want.size()); ++c) {
    for (std::size_t i = 0; i < kFrames; ++i) {
      if (got[c][i] != want[c][i]) {
        return what + ", channel " + std::to_string(c) + ", frame " + std::to_string(i) + ": " +
               std::to_string(got[c][i]) + " instead of " + std::to_string(want[c][i]);
      }
    }
  }
  return "";
}

}  // namespace

TEST_CASE(
    "any graph sounds as it means: the plan against a tree walk that knows no plan, bit for bit, at any buffer size") {
  CHECK(rc::check([](std::uint32_t seed) {
    const test::RandomShape shape{
        .roots = 1 + static_cast<int>(seed % 14), .connections = static_cast<int>(seed % 41), .sounding = true};
    const Document document = test::random_document(seed, shape);
    RC_ASSERT(static_cast<bool>(validate(document)));
    test::Rig rig(seed % 4, 1 + seed % 9);
    for (const auto& [name, channels] :
         std::map<std::string, std::uint32_t>{{"mono.wav", 1}, {"stereo.wav", 2}, {"quad.wav", 4}}) {
      rig.media[name] = {.channels = channels, .sample_rate_hz = 48000, .frames = 8192};
    }
    rig.start_timeline();
    rig.take(document);
    RC_ASSERT(test::fault_of(*rig.plan) == "");
    const std::uint32_t buffers[] = {1, 63, 64, 65, 320};
    const test::Sound out = rig.render(kFrames, buffers[seed % 5]);
    const test::Reference reference = test::evaluate(document, rig.request.shape, rig.media, kFrames);
    RC_ASSERT(difference(out, reference.out, "out") == "");
    RC_ASSERT(rig.last.recorders.size() == reference.recorded.size());
    for (const auto& [path, sound] : reference.recorded) {
      const test::Sound taken = rig.recorded(path);
      RC_ASSERT(taken.size() == sound.size());
      RC_ASSERT(difference(taken, sound, path) == "");
    }
  }));
}

TEST_CASE("any document gives a sound plan, the same one twice") {
  CHECK(rc::check([](std::uint32_t seed) {
    const Document document =
        test::random_document(seed, {.roots = static_cast<int>(seed % 20), .connections = static_cast<int>(seed % 60)});
    test::Rig one(seed % 10, 2), two(seed % 10, 2);
    one.take(document);
    two.take(document);
    RC_ASSERT(test::fault_of(*one.plan) == "");
    RC_ASSERT(one.plan->steps.size() == two.plan->steps.size());
    RC_ASSERT(one.plan->slab_floats == two.plan->slab_floats);
    for (std::size_t i = 0; i < one.plan->out_pointers.size(); ++i) {
      RC_ASSERT(one.plan->out_pointers[i] - one.plan->slab.get() == two.plan->out_pointers[i] - two.plan->slab.get());
    }
    RC_ASSERT(one.render(100) == two.render(100, 7));
  }));
}
