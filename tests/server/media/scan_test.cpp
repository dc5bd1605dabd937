// A scan's progress, its end between blocks, and its bounds; what it finds is in the tests of its job.
#include "server/media/scan.hpp"

#include <fstream>

#include "tests/server/media/media_test.hpp"

namespace continuo::media::test {
namespace {

namespace fs = std::filesystem;

struct Shelf {
  TempDir dir;
  Roots roots{{{"m", dir.path()}}};
  void wav(const std::string& name, std::size_t frames) const {
    write_floats(dir / name, SF_FORMAT_WAV | SF_FORMAT_FLOAT, 1, 48'000, std::vector<float>(frames, 0.25f));
  }
};

TEST_CASE("a scan tells of bytes that never go back and end with all of them") {
  const Shelf shelf;
  for (int i = 0; i < 3; ++i) shelf.wav("a" + std::to_string(i) + ".wav", 100'000);
  std::int64_t last = 0, all = 0;
  const auto report = scan_folder(shelf.roots, "m:", [&](std::int64_t behind, std::int64_t of) {
    CHECK(behind >= last);
    CHECK(behind <= of);
    last = behind;
    all = of;
    return true;
  });
  REQUIRE(report);
  CHECK(report->files == 3);
  CHECK(last == all);
  CHECK(report->bytes == all);
}

TEST_CASE("a scan ends at the first block behind its cancel") {
  const Shelf shelf;
  shelf.wav("a.wav", 1'000'000);
  for (int wanted = 1; wanted < 8; ++wanted) {
    int asked = 0;
    const auto report = scan_folder(shelf.roots, "m:", [&](std::int64_t, std::int64_t) { return ++asked < wanted; });
    REQUIRE_FALSE(report);
    CHECK(report.error().reason == "CANCELLED");
    CHECK(asked == wanted);
  }
}

TEST_CASE("of many broken files a thousand are named, and all are counted") {
  const Shelf shelf;
  for (std::size_t i = 0; i < kMaxBroken + 20; ++i)
    std::ofstream(shelf.dir / ("b" + std::to_string(i) + ".wav")) << "x";
  const auto report = scan_folder(shelf.roots, "m:", [](std::int64_t, std::int64_t) { return true; });
  REQUIRE(report);
  CHECK(report->files == 0);
  CHECK(report->broken.size() == kMaxBroken);
  CHECK(report->broken_count == kMaxBroken + 20);
}

TEST_CASE("long names cost no more than so many bytes") {
  const Shelf shelf;
  fs::path deep = shelf.dir.path();
  for (int i = 0; i < 8; ++i) deep /= std::string(200, 'd');
  fs::create_directories(deep);
  for (int i = 0; i < 500; ++i) std::ofstream(deep / (std::string(100, 'n') + std::to_string(i) + ".wav")) << "x";
  const auto report = scan_folder(shelf.roots, "m:", [](std::int64_t, std::int64_t) { return true; });
  REQUIRE(report);
  CHECK(report->broken_count == 500);
  std::size_t bytes = 0;
  for (const auto& one : report->broken) bytes += one.file.size() + one.reason.size() + one.message.size();
  CHECK(bytes <= kMaxBrokenBytes);
  CHECK(report->broken.size() > 100);
}

}  // namespace
}  // namespace continuo::media::test
