#include "clients/cli/media_path.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>

#include "clients/cli/failure.hpp"
#include "clients/cli/local_file.hpp"

using namespace continuo::cli;
namespace fs = std::filesystem;

namespace {

struct Folder {
  Folder() {
    std::string name = (fs::temp_directory_path() / "continuo-cli-XXXXXX").string();
    path = fs::canonical(::mkdtemp(name.data()));
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  fs::path file(const fs::path& relative, const std::string& content = "x") const {
    fs::create_directories((path / relative).parent_path());
    std::ofstream(path / relative) << content;
    return path / relative;
  }
  fs::path path;
};

ExitCode code_of(const auto& action) {
  try {
    action();
  } catch (const Failure& failure) {
    return failure.exit_code;
  }
  return kOk;
}

}  // namespace

TEST_CASE("a local file gets the name of the deepest root that holds it") {
  const Folder folder;
  const fs::path song = folder.file("music/album/a b.wav");
  const MediaRoots roots{{"all", folder.path}, {"music", folder.path / "music"}, {"gone", folder.path / "nowhere"}};
  CHECK(media_name(roots, song) == "music:album/a b.wav");
  CHECK(media_name(roots, folder.path / "music/album/../album/a b.wav") == "music:album/a b.wav");
  CHECK(media_name(roots, folder.file("x.wav")) == "all:x.wav");
  CHECK(media_name(roots, folder.path / "music") == "music:");
  // A folder that only begins like a root is not in it.
  CHECK(media_name(roots, folder.file("music2/y.wav")) == "all:music2/y.wav");
}

TEST_CASE("symbolic links are followed on both sides") {
  const Folder folder;
  const Folder elsewhere;
  const fs::path song = folder.file("real/a.wav");
  fs::create_directory_symlink(folder.path / "real", folder.path / "link");
  CHECK(media_name({{"m", folder.path / "link"}}, song) == "m:a.wav");
  CHECK(media_name({{"m", folder.path / "real"}}, folder.path / "link/a.wav") == "m:a.wav");
  fs::create_symlink(elsewhere.file("b.wav"), folder.path / "real/out.wav");
  CHECK(try_media_name({{"m", folder.path / "real"}}, folder.path / "real/out.wav").empty());
}

TEST_CASE("a file outside every root is refused with the roots and the remedy; a missing one is no input") {
  const Folder folder;
  const Folder elsewhere;
  const fs::path song = elsewhere.file("a.wav");
  try {
    (void)media_name({{"m", folder.path}}, song);
    FAIL("accepted");
  } catch (const Failure& failure) {
    CHECK(failure.exit_code == kBadData);
    CHECK(failure.reason == "OUTSIDE_MEDIA_ROOTS");
    CHECK(failure.message.find("m=" + folder.path.string()) != std::string::npos);
    CHECK(failure.message.find("--media-root NAME=" + elsewhere.path.string()) != std::string::npos);
  }
  CHECK(code_of([&] { (void)media_name({{"m", folder.path}}, folder.path / "none.wav"); }) == kNoInput);
  CHECK(code_of([&] { (void)media_name({{"m", folder.path}}, song / "below-a-file"); }) == kNoInput);
}

TEST_CASE("a name that cannot travel is refused") {
  const Folder folder;
  const fs::path song = folder.file("caf\xe9.wav");
  CHECK(code_of([&] { (void)media_name({{"m", folder.path}}, song); }) == kBadData);
}

TEST_CASE("only names of roots count as roots") {
  const MediaRoots roots{{"m", "/x"}};
  CHECK(names_root(roots, "m:a.wav"));
  CHECK_FALSE(names_root(roots, "n:a.wav"));
  CHECK_FALSE(names_root(roots, "a.wav"));
}

TEST_CASE("a folder's audio files come in a person's order, and nothing else comes") {
  const Folder folder;
  for (const char* name : {"10 bass.wav", "2 vox.FLAC", "1 drums.wav", "notes.txt", ".hidden.wav", "cover.jpg"})
    (void)folder.file(name);
  fs::create_directory(folder.path / "sub.wav");
  std::vector<std::string> names;
  for (const auto& file : audio_files(folder.path)) names.push_back(file.filename());
  CHECK(names == std::vector<std::string>{"1 drums.wav", "2 vox.FLAC", "10 bass.wav"});
  CHECK(expand_audio({folder.path.string(), (folder.path / "notes.txt").string()}).size() == 4);
  const Folder empty;
  CHECK(code_of([&] { (void)audio_files(empty.path); }) == kNoInput);
  CHECK(code_of([&] { (void)expand_audio({(folder.path / "none").string()}); }) == kNoInput);
}

TEST_CASE("natural order is an order") {
  CHECK(natural_less("a2", "a10"));
  CHECK_FALSE(natural_less("a10", "a2"));
  CHECK(natural_less("a", "B"));
  CHECK(natural_less("a", "a1"));
  CHECK(natural_less("a01", "a1") != natural_less("a1", "a01"));
  CHECK_FALSE(natural_less("x", "x"));
  CHECK(natural_less("99999999999999999999998", "99999999999999999999999"));
}

TEST_CASE("a file's name becomes a valid id that nobody has") {
  std::set<std::string> taken{"out"};
  CHECK(id_from_file("/m/03 Lead Vox (dry).wav", taken) == "03-lead-vox-dry");
  CHECK(id_from_file("03 lead vox [dry].flac", taken) == "03-lead-vox-dry-2");
  CHECK(id_from_file("snare_top.wav", taken) == "snare_top");
  CHECK(id_from_file("out.wav", taken) == "out-2");
  CHECK(id_from_file("\u4f60\u597d.wav", taken) == "track");
  CHECK(id_from_file("!!.wav", taken) == "track-2");
  CHECK(id_from_file("a.b.c.wav", taken) == "a-b-c");
  const std::string longest(200, 'q');
  CHECK(id_from_file(longest + ".wav", taken) == std::string(63, 'q'));
  const std::string second = id_from_file(longest + ".wav", taken);
  CHECK(second == std::string(61, 'q') + "-2");
  for (int i = 3; i <= 12; ++i) CHECK(id_from_file(longest + ".wav", taken).size() == 63);
}

TEST_CASE("a file is written whole or not at all, and nothing is left beside it") {
  const Folder folder;
  const fs::path file = folder.path / "s.json";
  write_file(file, "one", false);
  CHECK(read_file(file, 100) == "one");
  CHECK(code_of([&] { write_file(file, "two", false); }) == kCannotCreate);
  CHECK(read_file(file, 100) == "one");
  write_file(file, "two", true);
  CHECK(read_file(file, 100) == "two");
  fs::create_symlink(file, folder.path / "link");
  write_file(folder.path / "link", "three", true);
  CHECK(fs::is_symlink(folder.path / "link"));
  CHECK(read_file(file, 100) == "three");
  CHECK(code_of([&] { write_file(folder.path / "none/s.json", "x", false); }) == kCannotCreate);
  CHECK(code_of([&] { write_file(folder.path, "x", true); }) == kCannotCreate);
  CHECK(code_of([&] { write_file("/dev/full", "x", true); }) == kCannotCreate);
  CHECK(std::distance(fs::directory_iterator(folder.path), fs::directory_iterator()) == 2);
}

TEST_CASE("reading has a bound and says what is missing") {
  const Folder folder;
  CHECK(read_file(folder.file("a", std::string(100, 'x')), 100).size() == 100);
  CHECK(code_of([&] { (void)read_file(folder.file("b", std::string(101, 'x')), 100); }) == kBadData);
  CHECK(code_of([&] { (void)read_file(folder.path / "none", 100); }) == kNoInput);
  CHECK(code_of([&] { (void)read_file(folder.path, 100); }) == kNoInput);
}
