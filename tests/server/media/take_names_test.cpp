// Which names a take may have, and which a folder's files have taken.
#include "server/media/take_names.hpp"

#include <fstream>

#include "tests/server/media/take_test.hpp"

using namespace continuo;
using namespace continuo::media;
using namespace continuo::media::test;

namespace {

bool can(const std::string& name, Container container = Container::wav, std::uint32_t split = 0, bool parts = false) {
  return why_no_take_name(name, container, split, parts).empty();
}

}  // namespace

TEST_CASE("take names: what ends as something else, begins with a dot or holds a control character is none") {
  for (const char* name : {"a.wav", "day/a.WAV", "a", "Song 1.2", "a.b.wav", "a.bwf", "été.wav", "a..wav"}) {
    CAPTURE(name);
    CHECK(can(name));
  }
  for (const char* name : {"a.part",  "a.wav.part", "a.wav.PART", "a.mp3",      "a.flac", "a.OGG",  "a.aiff",
                           "a.w64",   ".a.wav",     ".wav",       ".",          "day/.",  "day/..", ".day/a.wav",
                           "./a.wav", "a\n.wav",    "a\x7f.wav",  "d\ty/a.wav", "",       "day/"}) {
    CAPTURE(name);
    CHECK_FALSE(can(name));
  }
  CHECK(can("a.flac", Container::flac));
  for (const char* name : {"a.wav", "a.ogg", "a.flac.part"}) CHECK_FALSE(can(name, Container::flac));
}

TEST_CASE("take names: 255 bytes with channel, part and .part, and not one more") {
  const auto named = [](std::size_t bytes) { return "day/" + std::string(bytes - 4, 'x') + ".wav"; };
  CHECK(can(named(250)));
  CHECK_FALSE(can(named(251)));
  CHECK(can(named(245), Container::wav, 2));  // "-ch02"
  CHECK_FALSE(can(named(246), Container::wav, 2));
  CHECK(can(named(244), Container::wav, 0, true));  // "-10000"
  CHECK_FALSE(can(named(245), Container::wav, 0, true));
  CHECK(can(named(238), Container::wav, 128, true));
  CHECK_FALSE(can(named(239), Container::wav, 128, true));
  CHECK_FALSE(can(std::string(256, 'd') + "/a.wav"));
}

TEST_CASE("take names: parts, channels, other names and what is being written take their take's name") {
  TempDir dir;
  for (const char* name : {"vox-002.wav", "gtr-001-003.flac", "drums-004-ch01.wav", "keys-005-ch12-010.wav.part",
                           "amp-ch03-006.wav", "bass-2.wav", "in-20261121-120000.wav"})
    std::ofstream(dir / name) << "x";
  const TakenNames taken(dir.path());
  for (const char* name : {"vox-002.wav", "vox-002.flac", "vox-002-{channel}.wav", "gtr-001.wav", "gtr-001-003.wav",
                           "drums-004.wav", "keys-005-{channel}.flac", "keys-005.wav", "amp-{channel}-006.wav",
                           "amp-006.wav", "bass.wav", "bass-2.wav", "in-20261121-120000.wav"}) {
    CAPTURE(name);
    CHECK(taken.contains(name));
  }
  for (const char* name : {"vox-001.wav", "gtr-002.wav", "drums-001.wav", "keys-010.wav", "bass-3.wav",
                           "in-20261121.wav", "in-20261121-120001.wav"}) {
    CAPTURE(name);
    CHECK_FALSE(taken.contains(name));
  }
  CHECK_FALSE(TakenNames(dir / "none").contains("a.wav"));
}
