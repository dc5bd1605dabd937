// THREAD: test - sessions to render, and what came of them
#pragma once

#include <doctest/doctest.h>

#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "server/media/decode.hpp"
#include "server/render/offline_renderer.hpp"
#include "server/render/session_text.hpp"
#include "tests/server/media/media_test.hpp"

namespace continuo::render::test {

using media::test::noise_floats;
using media::test::sine;
using media::test::TempDir;
namespace fs = std::filesystem;

/// The smallest session with these nodes and connections.
inline std::string session_text(const std::string& nodes, const std::string& connections, int rate = 48000) {
  return R"({"format": 1, "sample_rate_hz": )" + std::to_string(rate) + R"(, "nodes": [)" + nodes +
         R"(], "connections": [)" + connections + "]}";
}
inline std::string player(const std::string& id, const std::string& file, const std::string& more = "") {
  return R"({"id": ")" + id + R"(", "type": "player", "params": {"file": ")" + file + "\"" +
         (more.empty() ? "" : ", " + more) + "}}";
}
inline std::string track(const std::string& id, const std::string& children, const std::string& params = "") {
  return R"({"id": ")" + id + R"(", "type": "track", "params": {)" + params + R"(}, "children": [)" + children + "]}";
}
inline std::string edge(const std::string& from, const std::string& to, const std::string& more = "") {
  return R"({"from": ")" + from + R"(", "to": ")" + to + "\"" + (more.empty() ? "" : ", " + more) + "}";
}

/// A folder with audio files in which sessions are rendered.
struct Studio {
  TempDir dir;

  void wav(const std::string& name, int channels, const std::vector<float>& samples, int rate = 48000) const {
    media::test::write_floats(dir / name, SF_FORMAT_WAV | SF_FORMAT_FLOAT, channels, rate, samples);
  }
  [[nodiscard]] session::Document document(const std::string& text) const {
    std::ofstream(dir / "session.json") << text;
    auto read = read_session(dir / "session.json");
    REQUIRE_MESSAGE(read, (read ? "" : read.error().message));
    return std::move(*read);
  }
  [[nodiscard]] RenderOptions options() const {
    RenderOptions options;
    options.roots = media::Roots({{"", dir.path()}});
    options.base = ":";
    options.output = dir / "out.wav";
    return options;
  }
  /// Prepares and runs.
  [[nodiscard]] static Result<RenderResult> attempt(const session::Document& document, const RenderOptions& options) {
    auto prepared = OfflineRenderer::prepare(document, options);
    if (!prepared) return prepared.error();
    return (*prepared)->run();
  }
  /// What is in the file, interleaved. The file is then gone.
  [[nodiscard]] std::vector<float> take(const fs::path& file) const {
    auto decoder = media::Decoder::open(file);
    REQUIRE_MESSAGE(decoder, (decoder ? "" : decoder.error().message));
    const auto frames = static_cast<std::size_t>((*decoder)->info().frames);
    std::vector<float> all(frames * (*decoder)->info().channels);
    REQUIRE((*decoder)->read(all.data(), frames) == frames);
    fs::remove(file);
    return all;
  }
  [[nodiscard]] std::vector<float> render(const std::string& text,
                                          const std::function<void(RenderOptions&)>& change = {}) const {
    RenderOptions opts = options();
    if (change) change(opts);
    const auto result = attempt(document(text), opts);
    REQUIRE_MESSAGE(result, (result ? "" : result.error().message));
    return take(opts.output);
  }
  /// Nothing but what was put there: no output, no temporary file.
  [[nodiscard]] bool tidy() const {
    for (const auto& entry : fs::directory_iterator(dir.path())) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with("out") || name.ends_with(".part")) return false;
    }
    return true;
  }
};

inline TimeText at_frame(std::int64_t frame) { return {true, frame, 0.0}; }

}  // namespace continuo::render::test
