// THREAD: test - takes fed by hand
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "server/media/decode.hpp"
#include "server/media/take_writer.hpp"
#include "tests/server/media/media_test.hpp"
#include "tests/support/fake_disk.hpp"

namespace continuo::media::test {

/// What the recorder node does on the audio thread, without one.
inline void push(rt::Sink& sink, const std::vector<float>& samples, std::size_t from_frame, std::size_t frames) {
  const std::size_t n = frames * sink.channels;
  REQUIRE(sink.frames.write({samples.data() + from_frame * sink.channels, n}) == n);
  sink.audio_.taken += static_cast<rt::FrameCount>(frames);
  sink.frames_taken.store(sink.audio_.taken, std::memory_order_release);
}
inline void lose(rt::Sink& sink, rt::FrameCount frames, bool announce = true) {
  if (announce) REQUIRE(sink.gaps.try_push({sink.audio_.taken, frames}));
  sink.audio_.taken += frames;
  sink.lost_frames.fetch_add(static_cast<std::uint64_t>(frames));
  sink.frames_taken.store(sink.audio_.taken, std::memory_order_release);
}
inline void finish(rt::Sink& sink) { sink.finished.store(true, std::memory_order_release); }

inline std::unique_ptr<TakeWriter> open_take(const TakeRequest& request) {
  auto opened = TakeWriter::open(request);
  REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().message));
  return std::move(*opened);
}
inline TakeResult close_take(TakeWriter& take) {
  int rounds = 0;
  while (!take.drain()) REQUIRE(++rounds < 100'000);
  return take.result();
}
inline std::vector<float> read_all(const fs::path& file) {
  auto decoder = Decoder::open(file);
  REQUIRE_MESSAGE(decoder, (decoder ? "" : decoder.error().message));
  std::vector<float> all(static_cast<std::size_t>((*decoder)->info().frames) * (*decoder)->info().channels);
  REQUIRE((*decoder)->read(all.data(), static_cast<std::size_t>((*decoder)->info().frames)) ==
          static_cast<std::size_t>((*decoder)->info().frames));
  return all;
}

struct FakeTake {
  FakeDisk disk;
  TakeWriter::Clock::time_point now{};
  std::unique_ptr<TakeWriter> writer;
  explicit FakeTake(const TakeRequest& request) {
    auto opened = TakeWriter::open(request, std::make_unique<FakeFile>(disk), [this] { return now; });
    REQUIRE(opened);
    writer = std::move(*opened);
  }
};
inline fs::path save(const std::vector<std::byte>& bytes, const fs::path& file) {
  FILE* out = std::fopen(file.c_str(), "wb");
  REQUIRE(out != nullptr);
  CHECK(std::fwrite(bytes.data(), 1, bytes.size(), out) == bytes.size());
  std::fclose(out);
  return file;
}

}  // namespace continuo::media::test
