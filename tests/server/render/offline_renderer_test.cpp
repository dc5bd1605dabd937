// Ranges, widths, rates, formats; errors that leave no file.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "server/media/probe.hpp"
#include "tests/server/render/render_test.hpp"

using namespace continuo;
using namespace continuo::render;
using namespace continuo::render::test;

namespace {

const std::string kSimple = session_text(track("a", player("p", "a.wav")), edge("a", "out"));

}  // namespace

TEST_CASE("render: a stereo track at unity is its file, bit for bit, as long as it is") {
  Studio studio;
  const std::vector<float> sound = noise_floats(12'345, 2);
  studio.wav("a.wav", 2, sound);
  CHECK(studio.render(kSimple) == sound);
  CHECK(studio.tidy());
}

TEST_CASE("render: the end is that of the last timeline player, loops, free players and recorders do not count") {
  Studio studio;
  studio.wav("a.wav", 2, noise_floats(1000, 2));
  const auto frames = [&](const std::string& nodes, const std::function<void(RenderOptions&)>& change = {}) {
    return static_cast<std::int64_t>(studio.render(session_text(nodes, edge("a", "out")), change).size() / 2);
  };
  CHECK(frames(track("a", player("p", "a.wav", "\"start_s\": 0.5"))) == 25'000);
  CHECK(frames(track("a", player("p", "a.wav") + "," + player("q", "a.wav", R"("loop": true)") + "," +
                              player("r", "a.wav", R"("mode": "free")") + R"(,{"id": "rec", "type": "recorder"})")) ==
        1000);
  CHECK(frames(track("a", player("p", "a.wav")), [](RenderOptions& o) { o.to = at_frame(5000); }) == 5000);
  CHECK(frames(track("a", player("p", "a.wav")), [](RenderOptions& o) {
          o.from = at_frame(100);
          o.length = at_frame(50);
        }) == 50);
  CHECK(frames(track("a", player("p", "a.wav")), [](RenderOptions& o) { o.from = at_frame(999); }) == 1);
  for (const auto& [from, to] : {std::pair(1000, -1), std::pair(2000, -1), std::pair(10, 10), std::pair(10, 5)}) {
    RenderOptions options = studio.options();
    options.from = at_frame(from);
    if (to >= 0) options.to = at_frame(to);
    const auto refused = Studio::attempt(studio.document(kSimple), options);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().reason == "EMPTY_RANGE");
  }
  const auto endless = Studio::attempt(
      studio.document(session_text(track("a", player("p", "a.wav", R"("loop": true)")), edge("a", "out"))),
      studio.options());
  REQUIRE_FALSE(endless);
  CHECK(endless.error().reason == "NO_END");
  CHECK(studio.tidy());
}

TEST_CASE("render: free players stand still, empty players and an empty session are silent") {
  Studio studio;
  studio.wav("a.wav", 2, noise_floats(1000, 2));
  const auto silent = [&](const std::string& text) {
    const std::vector<float> out = studio.render(text, [](RenderOptions& o) { o.to = at_frame(500); });
    return out == std::vector<float>(1000, 0.0f);
  };
  CHECK(silent(session_text(track("a", player("p", "a.wav", R"("mode": "free")")), edge("a", "out"))));
  CHECK(silent(session_text(track("a", player("p", "")), edge("a", "out"))));
  CHECK(silent(session_text("", "")));
  CHECK(silent(session_text(track("a", player("p", "a.wav")), "")));
  CHECK(silent(session_text(track("a", ""), edge("in", "a") + "," + edge("a", "out"))));
}

TEST_CASE("render: as many channels as the session connects to out") {
  Studio studio;
  studio.wav("a.wav", 2, noise_floats(300, 2));
  studio.wav("six.wav", 6, noise_floats(300, 6));
  RenderOptions options = studio.options();
  const auto channels = [&](const std::string& file, const std::string& connections) {
    const auto result =
        Studio::attempt(studio.document(session_text(track("a", player("p", file)), connections)), options);
    REQUIRE(result);
    CHECK(media::probe(options.output)->channels == result->channels);
    fs::remove(options.output);
    return result->channels;
  };
  CHECK(channels("a.wav", edge("a", "out")) == 2);
  CHECK(channels("a.wav", edge("a", "out:3")) == 4);
  CHECK(channels("six.wav", edge("a", "out")) == 6);
  CHECK(channels("a.wav", edge("a", "out:7", R"("channels": [{"from": 1, "to": 1}])")) == 7);
  CHECK(channels("a.wav", "") == 2);
}

TEST_CASE("render: formats, peak, sample rate") {
  Studio studio;
  std::vector<float> sound = noise_floats(2000, 2);
  sound[77] = -0.875f;
  studio.wav("a.wav", 2, sound);
  const session::Document document = studio.document(kSimple);
  for (const media::SampleFormat format :
       {media::SampleFormat::pcm16, media::SampleFormat::pcm24, media::SampleFormat::float32}) {
    RenderOptions options = studio.options();
    options.format = format;
    const auto result = Studio::attempt(document, options);
    REQUIRE(result);
    CHECK(result->peak == 0.875f);
    CHECK(result->frames == 2000);
    CHECK(result->sample_rate_hz == 48000);
    CHECK(result->file == options.output);
    std::vector<std::byte> expected;
    std::vector<std::byte> got;
    encode_samples(format, sound, expected);
    encode_samples(format, studio.take(options.output), got);
    CHECK(got == expected);
  }
  // The session's seconds stay, the file is converted.
  RenderOptions options = studio.options();
  options.sample_rate_hz = 96000.0;
  options.from = at_frame(1000);  // of the session's rate
  const auto result = Studio::attempt(document, options);
  REQUIRE(result);
  CHECK(result->frames == 2000);
  CHECK(media::probe(options.output)->sample_rate_hz == 96000);
}

TEST_CASE("render: bad options and missing media, nothing is left") {
  Studio studio;
  studio.wav("a.wav", 2, noise_floats(1000, 2));
  std::ofstream(studio.dir / "text.wav") << "no sound";
  struct Case {
    const char* file;
    ErrorKind kind;
    const char* reason;
  };
  for (const Case& c : {Case{"none.wav", ErrorKind::not_found, "FILE_NOT_FOUND"},
                        Case{"text.wav", ErrorKind::invalid_argument, "NOT_AUDIO"},
                        Case{"music:a.wav", ErrorKind::not_found, "UNKNOWN_ROOT"},
                        Case{"../a.wav", ErrorKind::permission_denied, "OUTSIDE_ROOT"}}) {
    CAPTURE(std::string(c.file));
    const auto result = Studio::attempt(
        studio.document(session_text(track("vox", player("p", c.file)), edge("vox", "out"))), studio.options());
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == c.kind);
    CHECK(result.error().reason == c.reason);
    CHECK(result.error().field == "vox/p.file");
    CHECK(result.error().message.find(c.file) != std::string::npos);
  }
  const session::Document document = studio.document(kSimple);
  const auto refused = [&](const std::function<void(RenderOptions&)>& change) {
    RenderOptions options = studio.options();
    change(options);
    const auto result = Studio::attempt(document, options);
    return !result && result.error().kind == ErrorKind::invalid_argument;
  };
  for (const double rate : {0.0, -48000.0, 7999.0}) CHECK(refused([&](RenderOptions& o) { o.sample_rate_hz = rate; }));
  CHECK(refused([](RenderOptions& o) { o.sample_rate_hz = 384001.0; }));
  CHECK(refused([](RenderOptions& o) { o.sample_rate_hz = 44100.5; }));
  CHECK(refused([](RenderOptions& o) { o.block_frames = 0; }));
  CHECK(refused([](RenderOptions& o) { o.block_frames = 65537; }));
  CHECK(studio.tidy());
}

TEST_CASE("render: an output that is one of the files it reads is refused, whatever its name") {
  Studio studio;
  studio.wav("a.wav", 2, noise_floats(1000, 2));
  studio.wav("b.wav", 2, noise_floats(1000, 2));
  studio.wav("in.wav", 2, noise_floats(1000, 2));
  studio.wav("other.wav", 2, noise_floats(10, 2));
  fs::create_symlink("a.wav", studio.dir / "symlink.wav");
  fs::create_hard_link(studio.dir / "b.wav", studio.dir / "hardlink.wav");
  const session::Document document =
      studio.document(session_text(track("a", player("p", "a.wav")) + "," +
                                       track("b", R"({"id": "c", "type": "convolution", "params": {"file": "b.wav"}})"),
                                   edge("a", "out") + "," + edge("a", "b") + "," + edge("b", "out")));
  fs::create_hard_link(studio.dir / "session.json", studio.dir / "session.wav");
  RenderOptions options = studio.options();
  options.overwrite = true;
  options.given.device_input = studio.dir / "in.wav";
  options.session = studio.dir / "session.json";
  for (const char* name : {"a.wav", "b.wav", "symlink.wav", "hardlink.wav", "in.wav", "session.wav"}) {
    CAPTURE(name);
    options.output = studio.dir / name;
    const auto size = fs::file_size(options.output);
    const auto result = Studio::attempt(document, options);
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::already_exists);
    CHECK(result.error().reason == "OUTPUT_IS_INPUT");
    CHECK(result.error().message.find(options.output.string()) != std::string::npos);
    CHECK(fs::file_size(options.output) == size);
  }
  options.output = studio.dir / "other.wav";
  CHECK(Studio::attempt(document, options));
  CHECK(media::probe(options.output)->frames == 1000);
}

TEST_CASE("render: an output that exists is kept, unless told otherwise, cancelled, nothing is left") {
  Studio studio;
  studio.wav("a.wav", 2, noise_floats(1000, 2));
  const session::Document document = studio.document(kSimple);
  RenderOptions options = studio.options();
  std::ofstream(options.output) << "precious";
  auto result = Studio::attempt(document, options);
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::already_exists);
  CHECK(fs::file_size(options.output) == 8);
  options.overwrite = true;
  std::atomic<bool> cancelled{true};
  options.cancelled = &cancelled;
  result = Studio::attempt(document, options);
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::aborted);
  CHECK(fs::file_size(options.output) == 8);
  {
    cancelled = false;
    auto prepared = OfflineRenderer::prepare(document, options);  // and never run
    REQUIRE(prepared);
    CHECK((*prepared)->frames() == 1000);
  }
  CHECK(fs::file_size(options.output) == 8);
  REQUIRE(Studio::attempt(document, options));
  CHECK(media::probe(options.output)->frames == 1000);
  fs::remove(options.output);
  CHECK(studio.tidy());

  // Somebody makes the name while it renders: refused, and theirs is kept.
  options.overwrite = false;
  auto prepared = OfflineRenderer::prepare(document, options);
  REQUIRE(prepared);
  std::ofstream(options.output) << "precious";
  result = (*prepared)->run();
  REQUIRE_FALSE(result);
  CHECK(fs::file_size(options.output) == 8);
  fs::remove(options.output);
  CHECK(studio.tidy());
  options.output = studio.dir / "none" / "out.wav";
  result = Studio::attempt(document, options);
  REQUIRE_FALSE(result);
  CHECK(result.error().reason == "FOLDER_NOT_FOUND");
}

TEST_CASE("render: media that turn out damaged, and a disk that is full, end it with an error and no file") {
  Studio studio;
  media::test::write_floats(studio.dir / "a.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 2, 48000,
                            noise_floats(200'000, 2));
  fs::resize_file(studio.dir / "a.flac", fs::file_size(studio.dir / "a.flac") / 2);
  const auto damaged = Studio::attempt(
      studio.document(session_text(track("a", player("p", "a.flac")), edge("a", "out"))), studio.options());
  REQUIRE_FALSE(damaged);
  CHECK(damaged.error().kind == ErrorKind::data_loss);
  CHECK(damaged.error().message.find("a.flac") != std::string::npos);
  CHECK(studio.tidy());

  studio.wav("a.wav", 2, noise_floats(200'000, 2));
  const session::Document document = studio.document(kSimple);
  for (const rlim_t bytes : {rlim_t{10}, rlim_t{500'000}}) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      ::signal(SIGXFSZ, SIG_IGN);
      const rlimit limit{bytes, bytes};
      ::setrlimit(RLIMIT_FSIZE, &limit);
      const auto result = Studio::attempt(document, studio.options());
      ::_exit(!result && result.error().kind == ErrorKind::data_loss ? 0 : 1);
    }
    int status = 0;
    CHECK(::waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
    CHECK(studio.tidy());
  }
}

TEST_CASE("session file: missing, a folder, cut off, random, of a newer version: refused, named") {
  Studio studio;
  CHECK(read_session(studio.dir / "none.json").error().kind == ErrorKind::not_found);
  CHECK(read_session(studio.dir.path()).error().kind == ErrorKind::invalid_argument);
  const std::string whole = session_text(track("a", player("p", "a.wav"), "\"gain_db\": -6"), edge("a", "out"));
  for (std::size_t n = 0; n < whole.size(); ++n) {
    std::ofstream(studio.dir / "cut.json", std::ios::trunc) << whole.substr(0, n);
    const auto cut = read_session(studio.dir / "cut.json");
    REQUIRE_FALSE(cut);
    CHECK(cut.error().kind == ErrorKind::invalid_argument);
    CHECK(cut.error().message.find("cut.json") != std::string::npos);
  }
  media::test::Random random(1);
  for (int i = 0; i < 50; ++i) {
    std::ofstream file(studio.dir / "random.json", std::ios::trunc);
    for (int k = 0; k < 300; ++k) file.put(static_cast<char>(random.next() >> 24));
    file.close();
    CHECK_FALSE(read_session(studio.dir / "random.json"));
  }
  std::ofstream(studio.dir / "new.json") << R"({"format": 99, "nodes": []})";
  CHECK(read_session(studio.dir / "new.json").error().kind == ErrorKind::invalid_argument);
}
