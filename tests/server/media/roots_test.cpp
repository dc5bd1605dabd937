// Media roots: what is inside is found, nothing leads out.
#include "server/media/roots.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/server/media/media_test.hpp"

using namespace continuo;
using namespace continuo::media;
using namespace continuo::media::test;

namespace {

struct House {
  TempDir dir;
  Roots roots;
  House() {
    fs::create_directories(dir / "music/album");
    fs::create_directories(dir / "takes");
    fs::create_directories(dir / "private");
    fs::create_directories(dir / "musical");  // begins like a root's folder
    for (const char* file :
         {"music/a.wav", "music/album/b.wav", "private/secret.wav", "musical/c.wav", "music/x:y.wav"}) {
      std::ofstream(dir / file) << "sound";
    }
    fs::create_symlink("album/b.wav", dir / "music/inside.wav");
    fs::create_symlink(dir / "music/a.wav", dir / "music/absolute.wav");
    fs::create_symlink("../private/secret.wav", dir / "music/out.wav");
    fs::create_symlink(dir / "private/secret.wav", dir / "music/out-absolute.wav");
    fs::create_symlink(dir / "private", dir / "music/out-folder");
    fs::create_symlink("../musical/c.wav", dir / "music/neighbour.wav");
    fs::create_symlink("loop.wav", dir / "music/loop.wav");
    fs::create_symlink("/dev/zero", dir / "music/zero.wav");
    REQUIRE(::mkfifo((dir / "music/fifo.wav").c_str(), 0600) == 0);
    roots = Roots({{"music", dir / "music"}, {"takes", dir / "takes"}, {"gone", dir / "gone"}});
  }
};

}  // namespace

TEST_CASE("roots: a file in a root, a folder, by a base") {
  House h;
  CHECK(*h.roots.find_file("music:a.wav", "") == h.dir / "music/a.wav");
  CHECK(*h.roots.find_file("music:album/b.wav", "") == h.dir / "music/album/b.wav");
  CHECK(*h.roots.find_file("music:./album//b.wav", "") == h.dir / "music/album/b.wav");
  CHECK(*h.roots.find_file("b.wav", "music:album") == h.dir / "music/album/b.wav");
  CHECK(*h.roots.find_file("album/b.wav", "music:") == h.dir / "music/album/b.wav");
  CHECK(*h.roots.find_file("music:a.wav", "takes:") == h.dir / "music/a.wav");
  CHECK(*h.roots.find_file("./x:y.wav", "music:") == h.dir / "music/x:y.wav");
  CHECK(*h.roots.find_file("music:x:y.wav", "") == h.dir / "music/x:y.wav");
  CHECK(*h.roots.find_file("music:inside.wav", "") == h.dir / "music/album/b.wav");
  CHECK(*h.roots.find_file("music:absolute.wav", "") == h.dir / "music/a.wav");
}

TEST_CASE("roots: the folder of a rendered session is reached by its base alone") {
  House h;
  const Roots roots({{"", h.dir / "music"}});
  CHECK(*roots.find_file("a.wav", ":") == h.dir / "music/a.wav");
  CHECK_FALSE(roots.find_file(":a.wav", ""));
  CHECK_FALSE(roots.find_file("../private/secret.wav", ":"));
  CHECK_FALSE(roots.new_file(":new.wav"));
}

TEST_CASE("roots: a name is its folder and what is in it") {
  const auto parts = [](std::string_view path) {
    const FolderAndName split = split_name(path);
    return std::string(split.folder) + "|" + std::string(split.name);
  };
  CHECK(parts("music:a.wav") == "music:|a.wav");
  CHECK(parts("music:album/a.wav") == "music:album|a.wav");
  CHECK(parts("music:album/side a/1:2.wav") == "music:album/side a|1:2.wav");
  CHECK(parts("music:") == "music:|");
  CHECK(parts("a.wav") == "|a.wav");
}

TEST_CASE("roots: refused, each with its kind") {
  House h;
  struct Case {
    const char* name;
    const char* base;
    ErrorKind kind;
  };
  for (const Case& c : {Case{"music:../private/secret.wav", "", ErrorKind::permission_denied},
                        Case{"music:album/../a.wav", "", ErrorKind::permission_denied},
                        Case{"music:/etc/passwd", "", ErrorKind::permission_denied},
                        Case{"music:..", "", ErrorKind::permission_denied},
                        Case{"a.wav", "music:..", ErrorKind::permission_denied},
                        Case{"secret.wav", "music:../private", ErrorKind::permission_denied},
                        Case{"music:out.wav", "", ErrorKind::permission_denied},
                        Case{"music:out-absolute.wav", "", ErrorKind::permission_denied},
                        Case{"music:out-folder/secret.wav", "", ErrorKind::permission_denied},
                        Case{"music:neighbour.wav", "", ErrorKind::permission_denied},
                        Case{"music:zero.wav", "", ErrorKind::permission_denied},
                        Case{"music:loop.wav", "", ErrorKind::invalid_argument},
                        Case{"music:none.wav", "", ErrorKind::not_found},
                        Case{"music:a.wav/below", "", ErrorKind::not_found},
                        Case{"gone:a.wav", "", ErrorKind::not_found},
                        Case{"nowhere:a.wav", "", ErrorKind::not_found},
                        Case{"a.wav", "nowhere:", ErrorKind::not_found},
                        Case{"a.wav", "", ErrorKind::invalid_argument},
                        Case{"/etc/passwd", "music:", ErrorKind::permission_denied},
                        Case{"music:", "", ErrorKind::invalid_argument},
                        Case{"", "music:", ErrorKind::invalid_argument},
                        Case{"music:album", "", ErrorKind::invalid_argument},
                        Case{"music:fifo.wav", "", ErrorKind::invalid_argument}}) {
    CAPTURE(std::string(c.name));
    CAPTURE(std::string(c.base));
    const auto found = h.roots.find_file(c.name, c.base);
    REQUIRE_FALSE(found);
    CHECK(found.error().kind == c.kind);
    CHECK_FALSE(found.error().message.empty());
    CHECK(found.error().message.find(h.dir.path().string()) == std::string::npos);  // the server's folders stay its own
  }
  CHECK(h.roots.find_file("nowhere:a.wav", "").error().message.find("gone, music, takes") != std::string::npos);
  CHECK_FALSE(h.roots.find_file(std::string("music:a.wav\0b", 13), ""));
  CHECK_FALSE(h.roots.find_file("music:" + std::string(100'000, 'a'), ""));
  CHECK_FALSE(h.roots.find_file("music:" + std::string(300, 'a'), ""));
}

TEST_CASE("roots: what begins with a dot is not served, by a name, a base or a folder, and not made") {
  House house;
  fs::create_directories(house.dir / "music/.keys");
  std::ofstream(house.dir / "music/.keys/id") << "secret";
  std::ofstream(house.dir / "music/.token") << "secret";
  const auto reason = [](const auto& result) { return result ? std::string() : result.error().reason; };
  CHECK(reason(house.roots.find_file("music:.token", "")) == "HIDDEN_FILE");
  CHECK(reason(house.roots.find_file("music:.keys/id", "")) == "HIDDEN_FILE");
  CHECK(reason(house.roots.find_file("music:album/../.token", "")) == "OUTSIDE_ROOT");
  CHECK(reason(house.roots.find_file("id", "music:.keys")) == "HIDDEN_FILE");
  CHECK(reason(house.roots.find_folder("music:.keys")) == "HIDDEN_FILE");
  CHECK(reason(house.roots.new_file("music:.profile")) == "HIDDEN_FILE");
  CHECK(reason(house.roots.file_to_write("music:.ssh/authorized")) == "HIDDEN_FILE");
  CHECK(house.roots.find_file("music:./a.wav", ""));
}

TEST_CASE("roots: a new file, its folders made, nothing overwritten, nothing outside") {
  House h;
  CHECK(*h.roots.new_file("takes:one.wav") == h.dir / "takes/one.wav");
  CHECK_FALSE(fs::exists(h.dir / "takes/one.wav"));
  CHECK(*h.roots.new_file("takes:day/1/one.wav") == h.dir / "takes/day/1/one.wav");
  CHECK(fs::is_directory(h.dir / "takes/day/1"));
  CHECK(h.roots.new_file("music:a.wav").error().kind == ErrorKind::already_exists);
  CHECK(h.roots.new_file("music:out.wav").error().kind == ErrorKind::already_exists);
  fs::create_symlink("nowhere", h.dir / "takes/dangling.wav");
  CHECK(h.roots.new_file("takes:dangling.wav").error().kind == ErrorKind::already_exists);
  CHECK(h.roots.new_file("music:out-folder/new.wav").error().kind == ErrorKind::permission_denied);
  CHECK(h.roots.new_file("music:out-folder/deep/new.wav").error().kind == ErrorKind::permission_denied);
  CHECK_FALSE(fs::exists(h.dir / "private/deep"));
  CHECK(h.roots.new_file("takes:../private/new.wav").error().kind == ErrorKind::permission_denied);
  CHECK(h.roots.new_file("takes:/tmp/new.wav").error().kind == ErrorKind::permission_denied);
  CHECK_FALSE(h.roots.new_file("music:a.wav/new.wav"));
  CHECK_FALSE(h.roots.new_file("takes:"));
  CHECK_FALSE(h.roots.new_file("takes:."));
  CHECK_FALSE(h.roots.new_file("takes:folder/"));
  CHECK_FALSE(h.roots.new_file("new.wav"));
  CHECK(h.roots.new_file("nowhere:new.wav").error().kind == ErrorKind::not_found);
  CHECK(h.roots.new_file("gone:new.wav").error().kind == ErrorKind::not_found);
}
