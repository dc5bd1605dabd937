#include "server/media/browse.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "tests/server/media/media_test.hpp"

namespace continuo::media {
namespace {

using test::TempDir;

void touch(const std::filesystem::path& file, const char* text = "x") { std::ofstream(file) << text; }

/// Every page to the end; `between` is called after each.
template <class Between>
std::vector<std::string> all_pages(const Roots& roots, const std::string& folder, bool recursive, std::size_t size,
                                   Between&& between) {
  std::vector<std::string> names;
  std::string after;
  for (;;) {
    const auto page = browse(roots, folder, recursive, after, size);
    REQUIRE(page);
    CHECK(page->entries.size() <= size);
    for (const BrowseEntry& entry : page->entries) names.push_back(entry.path);
    if (!page->more) return names;
    REQUIRE_FALSE(page->entries.empty());
    after = page->entries.back().path;
    between();
  }
}

TEST_CASE("a folder is listed in the order of its names: files and folders, nothing hidden, no devices, no way out") {
  const TempDir dir;
  const TempDir elsewhere;
  touch(elsewhere / "secret.wav");
  touch(dir / "b.wav", "12345");
  touch(dir / "B.wav");
  touch(dir / ".hidden");
  touch(dir / "\xff.wav");
  std::filesystem::create_directory(dir / "album");
  touch(dir / "album/a.wav");
  REQUIRE(::mkfifo((dir / "fifo").c_str(), 0600) == 0);
  std::filesystem::create_symlink(elsewhere / "secret.wav", dir / "out.wav");
  std::filesystem::create_directory_symlink(elsewhere.path(), dir / "out");
  std::filesystem::create_symlink("b.wav", dir / "link.wav");
  std::filesystem::create_directory_symlink("album", dir / "same");
  std::filesystem::create_symlink("nowhere", dir / "broken");
  const Roots roots({{"m", dir.path()}});
  const auto names = [&](const std::string& folder, bool recursive) {
    return all_pages(roots, folder, recursive, 100, [] {});
  };
  CHECK(names("m:", false) == std::vector<std::string>{"B.wav", "album", "b.wav", "link.wav", "same"});
  CHECK(names("m:", true) == std::vector<std::string>{"B.wav", "album", "album/a.wav", "b.wav", "link.wav", "same"});
  CHECK(names("m:album", false) == std::vector<std::string>{"a.wav"});
  const auto page = browse(roots, "m:", false, "", 100);
  CHECK(page->entries[1].folder);
  CHECK(page->entries[2].bytes == 5);
  CHECK(page->entries[3].bytes == 5);
  CHECK(browse(roots, "m:out", false, "", 10).error().reason == "OUTSIDE_ROOT");
  CHECK(browse(roots, "m:../x", false, "", 10).error().reason == "OUTSIDE_ROOT");
  CHECK(browse(roots, "m:b.wav", false, "", 10).error().reason == "NOT_A_FOLDER");
  CHECK(browse(roots, "m:none", false, "", 10).error().reason == "FILE_NOT_FOUND");
  CHECK(browse(roots, "n:", false, "", 10).error().reason == "UNKNOWN_ROOT");
  CHECK(browse(roots, "album", false, "", 10).error().reason == "NO_ROOT");
}

TEST_CASE("pages of any size hold the same, also where folders are entered") {
  const TempDir dir;
  for (int i = 0; i < 5; ++i) {
    const std::string folder = "f" + std::to_string(i);
    std::filesystem::create_directories(dir / (folder + "/deep/deeper"));
    for (const char* name : {"/z.wav", "/deep/y.wav", "/deep/deeper/x.wav", ".wav"}) touch(dir / (folder + name));
  }
  const Roots roots({{"m", dir.path()}});
  const auto whole = all_pages(roots, "m:", true, 1000, [] {});
  CHECK(whole.size() == 5 * 7);
  for (const std::size_t size : {1u, 2u, 3u, 7u, 34u, 35u, 36u}) {
    CAPTURE(size);
    CHECK(all_pages(roots, "m:", true, size, [] {}) == whole);
  }
}

TEST_CASE("what stays is told once, whatever comes and goes between the pages") {
  const TempDir dir;
  std::set<std::string> stays;
  for (int i = 0; i < 200; ++i) {
    const std::string name = "keep" + std::to_string(1000 + i) + ".wav";
    touch(dir / name);
    stays.insert(name);
    touch(dir / ("go" + std::to_string(1000 + i) + ".wav"));
    touch(dir / ("will" + std::to_string(1000 + i) + ".wav"));
  }
  const Roots roots({{"m", dir.path()}});
  int round = 0;
  const auto names = all_pages(roots, "m:", false, 7, [&] {
    const std::string number = std::to_string(1000 + round++ % 200);
    std::filesystem::remove(dir / ("go" + number + ".wav"));
    std::filesystem::remove(dir / ("will" + number + ".wav"));  // the page's last may be one of them
    touch(dir / ("keep" + number + "-new.wav"));
  });
  CHECK(std::ranges::is_sorted(names));
  CHECK(std::set(names.begin(), names.end()).size() == names.size());
  for (const std::string& name : stays) CHECK(std::ranges::count(names, name) == 1);
}

TEST_CASE("a folder of 10,000 files comes whole") {
  const TempDir dir;
  for (int i = 0; i < 10'000; ++i) touch(dir / (std::to_string(i) + ".wav"), "");
  const Roots roots({{"m", dir.path()}});
  const auto names = all_pages(roots, "m:", false, 1000, [] {});
  CHECK(names.size() == 10'000);
  CHECK(std::ranges::is_sorted(names));
}

}  // namespace
}  // namespace continuo::media
