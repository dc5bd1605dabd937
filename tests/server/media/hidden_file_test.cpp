// A file in the making: whole under its name or not at all, and never anywhere else.
#include "server/media/hidden_file.hpp"

#include <unistd.h>

#include <fstream>

#include "tests/server/media/media_test.hpp"

namespace continuo::media::test {
namespace {

namespace fs = std::filesystem;

struct Place {
  TempDir dir;
  Roots roots{{{"m", dir.path()}}};
  Result<HiddenFile> make(const std::string& name, bool overwrite = false) const {
    return HiddenFile::make(roots, name, ".making", overwrite);
  }
  std::string reason(const std::string& name, bool overwrite = false) const {
    const auto made = make(name, overwrite);
    return made ? "made" : made.error().reason;
  }
  [[nodiscard]] std::string text(const std::string& name) const {
    std::ifstream in(dir / name);
    std::string all;
    std::getline(in, all);
    return all;
  }
};

void fill(const HiddenFile& file, const std::string& text) {
  REQUIRE(::write(file.descriptor(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

TEST_CASE("it has no name until it is published, and is gone where it is not") {
  const Place place;
  {
    auto file = place.make("m:a.wav");
    REQUIRE(file);
    fill(*file, "new");
    CHECK_FALSE(fs::exists(place.dir / "a.wav"));
    CHECK(fs::exists(place.dir / ".making"));
    CHECK(place.reason("m:b.wav") == "WRITE_FAILED");  // the hidden name is taken
    REQUIRE(file->publish());
  }
  CHECK(place.text("a.wav") == "new");
  CHECK_FALSE(fs::exists(place.dir / ".making"));
  {
    auto file = place.make("m:b.wav");
    REQUIRE(file);
    const HiddenFile moved = std::move(*file);
    CHECK(fs::exists(place.dir / ".making"));
  }
  CHECK_FALSE(fs::exists(place.dir / "b.wav"));
  CHECK_FALSE(fs::exists(place.dir / ".making"));
}

TEST_CASE("what is there stays, unless it is to be replaced and is a file") {
  const Place place;
  std::ofstream(place.dir / "a.wav") << "old";
  CHECK(place.reason("m:a.wav") == "FILE_EXISTS");
  {
    auto file = place.make("m:a.wav", true);
    REQUIRE(file);
    fill(*file, "new");
    REQUIRE(file->publish());
  }
  CHECK(place.text("a.wav") == "new");
  auto late = place.make("m:b.wav");
  REQUIRE(late);
  std::ofstream(place.dir / "b.wav") << "mine";  // came meanwhile
  const auto named = late->publish();
  REQUIRE_FALSE(named);
  CHECK(named.error().reason == "FILE_EXISTS");
  CHECK(place.text("b.wav") == "mine");
  fs::create_directory(place.dir / "folder");
  CHECK(place.reason("m:folder", true) == "NOT_A_FILE");
  fs::create_symlink("a.wav", place.dir / "link");
  CHECK(place.reason("m:link", true) == "NOT_A_FILE");
  CHECK(place.reason("m:link") == "FILE_EXISTS");
}

TEST_CASE("it stays in the folder that was opened, whatever is swapped meanwhile") {
  const Place place;
  const TempDir outside;
  fs::create_directory(place.dir / "mixes");
  auto file = place.make("m:mixes/a.wav");
  REQUIRE(file);
  fill(*file, "new");
  fs::rename(place.dir / "mixes", place.dir / "moved");
  fs::create_directory_symlink(outside.path(), place.dir / "mixes");
  REQUIRE(file->publish());
  CHECK(place.text("moved/a.wav") == "new");
  CHECK(fs::is_empty(outside.path()));
  CHECK(place.reason("m:mixes/b.wav") == "OUTSIDE_ROOT");
  fs::create_directory_symlink(place.dir / "moved", place.dir / "inside");  // absolute, and leads inside
  CHECK(place.reason("m:inside/b.wav") == "made");
  CHECK(place.reason("m:none/b.wav") == "FILE_NOT_FOUND");
  CHECK(place.reason("m:moved/a.wav/b.wav") == "NOT_A_FOLDER");
  CHECK(place.reason("other:b.wav") == "UNKNOWN_ROOT");
  CHECK(place.reason("b.wav") == "NO_ROOT");
}

TEST_CASE("what a killed one left is removed by its name, and nothing else is") {
  const Place place;
  std::ofstream(place.dir / ".making") << "half";
  std::ofstream(place.dir / ".other") << "half";
  HiddenFile::remove_left(place.roots, "m:a.wav", ".making");
  HiddenFile::remove_left(place.roots, "m:none/a.wav", ".other");
  CHECK_FALSE(fs::exists(place.dir / ".making"));
  CHECK(fs::exists(place.dir / ".other"));
}

}  // namespace
}  // namespace continuo::media::test
