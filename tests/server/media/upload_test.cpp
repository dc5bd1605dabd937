#include "server/media/upload.hpp"

#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>

#include "server/media/download.hpp"
#include "tests/server/media/media_test.hpp"

namespace continuo::media {
namespace {

using test::TempDir;

std::string noise(std::size_t bytes, std::uint32_t seed = 1) {
  test::Random random(seed);
  std::string text(bytes, '\0');
  for (char& c : text) c = static_cast<char>(random.next() >> 24);
  return text;
}

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string sha256_of(std::string_view text) {
  Sha256 sum;
  sum.add(bytes_of(text));
  return sum.hex();
}

std::string read_whole(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::size_t files_in(const std::filesystem::path& folder) {
  const std::filesystem::directory_iterator all(folder);
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

struct Place {
  TempDir media, state;
  Roots roots{{{"m", media.path()}}};
  Uploads uploads{roots, state.path()};
};

TEST_CASE("an upload that is cut at any byte goes on there, after a restart too") {
  const Place place;
  const std::string content = noise(257);
  for (std::size_t cut = 0; cut <= content.size(); ++cut) {
    CAPTURE(cut);
    const UploadKey key{"m:x/" + std::to_string(cut) + ".wav", 257, sha256_of(content)};
    {
      Uploads before(place.roots, place.state.path());
      auto first = before.begin(key, 0, false);
      REQUIRE(first);
      REQUIRE((*first)->write(bytes_of(content).first(cut)));
      CHECK(before.held(key)->active);
    }
    Uploads after(place.roots, place.state.path());
    CHECK(after.held(key)->bytes == static_cast<std::int64_t>(cut));
    CHECK_FALSE(after.held(key)->active);
    CHECK_FALSE(std::filesystem::exists(place.media / ("x/" + std::to_string(cut) + ".wav")));
    auto second = after.begin(key, static_cast<std::int64_t>(cut), false);
    REQUIRE(second);
    REQUIRE((*second)->write(bytes_of(content).subspan(cut)));
    REQUIRE((*second)->finish());
    CHECK(read_whole(place.media / ("x/" + std::to_string(cut) + ".wav")) == content);
    CHECK(after.held(key)->bytes == 0);
  }
  CHECK(files_in(place.media / "x") == 258);  // and nothing of ours
}

TEST_CASE("an upload may start anywhere in what is held, not behind it") {
  Place place;
  const std::string content = noise(1000);
  const UploadKey key{"m:a.wav", 1000, sha256_of(content)};
  REQUIRE((*place.uploads.begin(key, 0, false))->write(bytes_of(content).first(600)));
  CHECK(place.uploads.begin(key, 601, false).error().reason == "UPLOAD_OFFSET");
  CHECK(place.uploads.held(key)->bytes == 600);
  auto writer = place.uploads.begin(key, 100, false);
  REQUIRE(writer);
  CHECK((*writer)->finish().error().reason == "UPLOAD_INCOMPLETE");
  REQUIRE((*writer)->write(bytes_of(content).subspan(100)));
  CHECK((*writer)->finish());
  CHECK(read_whole(place.media / "a.wav") == content);
}

TEST_CASE("a wrong SHA-256, a byte too many and a full disk leave nothing") {
  const std::string content = noise(1000);
  const UploadKey key{"m:a.wav", 1000, sha256_of(content)};
  SUBCASE("wrong") {
    Place place;
    auto writer = place.uploads.begin(key, 0, false);
    std::string other = content;
    other[999] ^= 1;
    REQUIRE((*writer)->write(bytes_of(other)));
    CHECK((*writer)->finish().error().reason == "SHA256_MISMATCH");
    CHECK(files_in(place.media.path()) == 0);
  }
  SUBCASE("too many") {
    Place place;
    auto writer = place.uploads.begin(key, 0, false);
    REQUIRE((*writer)->write(bytes_of(content)));
    CHECK((*writer)->write(bytes_of("x")).error().reason == "UPLOAD_TOO_LONG");
    CHECK(files_in(place.media.path()) == 0);
  }
  SUBCASE("full, at any byte") {
    for (const std::int64_t room : {0, 1, 499, 999}) {
      CAPTURE(room);
      Place place;
      UploadDisk disk;
      disk.write = [room](int fd, const void* from, std::size_t bytes, off_t at) -> ssize_t {
        const std::int64_t fits = std::min<std::int64_t>(static_cast<std::int64_t>(bytes), room - at);
        if (fits > 0) return ::pwrite(fd, from, static_cast<std::size_t>(fits), at);
        errno = ENOSPC;
        return -1;
      };
      Uploads uploads(place.roots, place.state.path(), disk);
      auto writer = uploads.begin(key, 0, false);
      REQUIRE(writer);
      const Result<> written = (*writer)->write(bytes_of(content));
      REQUIRE_FALSE(written);
      CHECK(written.error().reason == "DISK_FULL");
      CHECK(written.error().kind == ErrorKind::data_loss);
      CHECK(files_in(place.media.path()) == 0);
    }
  }
  SUBCASE("full, when it is synced") {
    Place place;
    UploadDisk disk;
    disk.sync = [](int) {
      errno = ENOSPC;
      return -1;
    };
    Uploads uploads(place.roots, place.state.path(), disk);
    auto writer = uploads.begin(key, 0, false);
    REQUIRE((*writer)->write(bytes_of(content)));
    CHECK((*writer)->finish().error().reason == "DISK_FULL");
    CHECK(files_in(place.media.path()) == 0);
  }
  SUBCASE("more than the disk has, before it begins") {
    Place place;
    const UploadKey huge{"m:a.wav", Uploads::kMaxBytes, key.sha256};
    const Error full = place.uploads.begin(huge, 0, false).error();
    CHECK(full.reason == "DISK_FULL");
    CHECK(full.message.find(huge.path) != std::string::npos);
    CHECK(full.message.find(" /") == std::string::npos);  // not where that is on this machine
    CHECK(files_in(place.media.path()) == 0);
  }
}

TEST_CASE("nothing is overwritten unasked, and of two that write one file the second is told") {
  Place place;
  std::ofstream(place.media / "a.wav") << "before";
  const std::string content = noise(100);
  const UploadKey key{"m:a.wav", 100, sha256_of(content)};
  CHECK(place.uploads.begin(key, 0, false).error().reason == "FILE_EXISTS");
  {
    auto writer = place.uploads.begin(key, 0, true);
    REQUIRE(writer);
    CHECK(place.uploads.begin(key, 0, true).error().reason == "UPLOAD_BUSY");
    CHECK(place.uploads.begin({"m:a.wav", 7, sha256_of("another")}, 0, true).error().reason == "UPLOAD_BUSY");
    REQUIRE((*writer)->write(bytes_of(content)));
    CHECK(read_whole(place.media / "a.wav") == "before");
    REQUIRE((*writer)->finish());
  }
  CHECK(read_whole(place.media / "a.wav") == content);
  // Somebody else makes the file while it is on its way.
  const UploadKey late{"m:b.wav", 100, key.sha256};
  auto writer = place.uploads.begin(late, 0, false);
  REQUIRE((*writer)->write(bytes_of(content)));
  std::ofstream(place.media / "b.wav") << "quicker";
  CHECK((*writer)->finish().error().reason == "FILE_EXISTS");
  CHECK(read_whole(place.media / "b.wav") == "quicker");
  CHECK(files_in(place.media.path()) == 2);
}

TEST_CASE("an upload's path leads nowhere but into its root") {
  Place place;
  const TempDir elsewhere;
  std::filesystem::create_directory_symlink(elsewhere.path(), place.media / "out");
  std::filesystem::create_symlink(elsewhere / "new.wav", place.media / "link.wav");
  std::filesystem::create_directory(place.media / "folder");
  const auto reason = [&](const std::string& path) {
    const auto writer = place.uploads.begin({path, 1, sha256_of("x")}, 0, true);
    REQUIRE_FALSE(writer);
    CHECK(writer.error().field == "path");
    return writer.error().reason;
  };
  CHECK(reason("m:../a.wav") == "OUTSIDE_ROOT");
  CHECK(reason("m:/a.wav") == "OUTSIDE_ROOT");
  CHECK(reason("m:out/a.wav") == "OUTSIDE_ROOT");
  CHECK(reason("m:link.wav") == "NOT_A_FILE");
  CHECK(reason("m:folder") == "NOT_A_FILE");
  CHECK(reason("m:.hidden") == "BAD_FILE_NAME");
  CHECK(reason("m:.x/a.wav") == "BAD_FILE_NAME");
  CHECK(reason("m:a\n.wav") == "BAD_FILE_NAME");
  CHECK(reason("m:") == "BAD_FILE_NAME");
  CHECK(reason("") == "BAD_FILE_NAME");
  CHECK(reason("a.wav") == "NO_ROOT");
  CHECK(reason("n:a.wav") == "UNKNOWN_ROOT");
  CHECK(place.uploads.begin({"m:a.wav", -1, sha256_of("")}, 0, false).error().field == "total_bytes");
  CHECK(place.uploads.begin({"m:a.wav", 1, "ABC"}, 0, false).error().field == "sha256");
  CHECK(place.uploads.begin({"m:a.wav", 1, sha256_of("x")}, 2, false).error().field == "start");
  CHECK(files_in(elsewhere.path()) == 0);
}

TEST_CASE("of uploads that broke off the last 32 are held, over a restart too, and none that is under way is lost") {
  Place place;
  const auto key_of = [](int i) { return UploadKey{"m:" + std::to_string(i) + ".wav", 10, sha256_of("x")}; };
  auto busy = place.uploads.begin(key_of(0), 0, false);
  REQUIRE((*busy)->write(bytes_of("0")));
  for (int i = 1; i <= 20; ++i) REQUIRE((*place.uploads.begin(key_of(i), 0, false))->write(bytes_of("0")));
  CHECK(files_in(place.media.path()) == 21);
  for (int i = 21; i <= 50; ++i) REQUIRE((*place.uploads.begin(key_of(i), 0, false))->write(bytes_of("0")));
  CHECK(files_in(place.media.path()) <= Uploads::kMaxHeld + 1);
  CHECK(place.uploads.held(key_of(0))->bytes == 1);
  CHECK(place.uploads.held(key_of(50))->bytes == 1);
  busy->reset();
  Uploads again(place.roots, place.state.path());
  for (int i = 51; i <= 100; ++i) REQUIRE((*again.begin(key_of(i), 0, false))->write(bytes_of("0")));
  CHECK(files_in(place.media.path()) <= Uploads::kMaxHeld + 1);
}

TEST_CASE("an upload that broke off a day ago is cleared away, and what the list names beside uploads is not touched") {
  Place place;
  const UploadKey old{"m:old.wav", 10, sha256_of("x")};
  REQUIRE((*place.uploads.begin(old, 0, false))->write(bytes_of("0")));
  std::string part;
  for (const auto& entry : std::filesystem::directory_iterator(place.media.path())) part = entry.path();
  std::ofstream(place.media / "song.wav") << "song";
  std::ofstream(place.state / "uploads") << "1 " << part << "\n1 " << (place.media / "song.wav").string() << "\n";
  Uploads again(place.roots, place.state.path());
  CHECK(again.held(old)->bytes == 1);
  REQUIRE((*again.begin({"m:new.wav", 10, sha256_of("x")}, 0, false))->write(bytes_of("0")));
  CHECK(again.held(old)->bytes == 0);
  CHECK_FALSE(std::filesystem::exists(part));
  CHECK(std::filesystem::exists(place.media / "song.wav"));
}

TEST_CASE("an empty file is a file") {
  Place place;
  auto writer = place.uploads.begin({"m:empty", 0, sha256_of("")}, 0, false);
  REQUIRE(writer);
  REQUIRE((*writer)->finish());
  CHECK(std::filesystem::file_size(place.media / "empty") == 0);
}

TEST_CASE("a range of a file, at its ends, and the SHA-256 of all of it") {
  const TempDir dir;
  const std::string content = noise(600'000);
  std::ofstream(dir / "a", std::ios::binary) << content;
  const auto get = [&](std::int64_t offset, std::optional<std::int64_t> length, bool hash) {
    auto reader = RangeReader::open(dir / "a", offset, length, hash);
    REQUIRE(reader);
    std::string got;
    for (;;) {
      const auto data = (*reader)->read();
      REQUIRE(data);
      CHECK(data->size() <= RangeReader::kBlockBytes);
      if (data->empty()) break;
      got += *data;
    }
    for (;;) {
      const auto done = (*reader)->hash_on();
      REQUIRE(done);
      if (!*done) continue;
      CHECK(**done == (hash ? sha256_of(content) : ""));
      return got;
    }
  };
  using Range = std::pair<std::int64_t, std::optional<std::int64_t>>;
  for (const auto& [offset, length] : {Range{0, {}},
                                       {0, 0},
                                       {0, 1},
                                       {599'999, {}},
                                       {599'999, 1},
                                       {600'000, {}},
                                       {600'000, 5},
                                       {262'143, 2},
                                       {1, 262'144},
                                       {300'000, 1'000'000}}) {
    CAPTURE(offset);
    const std::string want = content.substr(static_cast<std::size_t>(offset),
                                            length ? static_cast<std::size_t>(*length) : std::string::npos);
    CHECK(get(offset, length, false) == want);
    CHECK(get(offset, length, true) == want);
  }
  CHECK(RangeReader::open(dir / "a", 600'001, {}, false).error().field == "offset");
  CHECK(RangeReader::open(dir / "a", -1, {}, false).error().field == "offset");
  CHECK(RangeReader::open(dir / "a", 0, -1, false).error().field == "length");
  auto reader = RangeReader::open(dir / "a", 0, {}, true);
  std::filesystem::resize_file(dir / "a", 100);
  CHECK((*reader)->read().error().reason == "FILE_CHANGED");
}

}  // namespace
}  // namespace continuo::media
