// THREAD: test - takes fed by hand, and a disk of a test's own making
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "server/media/decode.hpp"
#include "server/media/take_writer.hpp"
#include "tests/server/media/media_test.hpp"

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

/// A disk of a test's own making: in memory, of a given size, and with what a power cut would leave.
struct FakeDisk {
  std::vector<std::byte> written;
  std::vector<std::byte> synced;
  std::int64_t capacity = INT64_MAX;
  int fail_sync = 0;
  int fail_publish = 0;
  int syncs = 0;
  bool published = false;
  bool discarded = false;
};
class FakeFile final : public TakeFile {
 public:
  explicit FakeFile(FakeDisk& disk) : disk_(disk) {}
  int write_at(std::int64_t offset, std::span<const std::byte> bytes, std::size_t& count) override {
    const std::int64_t room = std::max<std::int64_t>(0, disk_.capacity - offset);
    count = static_cast<std::size_t>(std::min<std::int64_t>(room, static_cast<std::int64_t>(bytes.size())));
    const auto end = static_cast<std::size_t>(offset) + count;
    if (disk_.written.size() < end) disk_.written.resize(end);
    std::memcpy(disk_.written.data() + offset, bytes.data(), count);
    return count == bytes.size() ? 0 : ENOSPC;
  }
  int truncate(std::int64_t size) override {
    disk_.written.resize(static_cast<std::size_t>(size));
    return 0;
  }
  int sync() override {
    ++disk_.syncs;
    if (disk_.fail_sync == 0) disk_.synced = disk_.written;
    return disk_.fail_sync;
  }
  int publish(const fs::path&, bool) override {
    if (disk_.fail_publish != 0) return disk_.fail_publish;
    disk_.synced = disk_.written;
    disk_.published = true;
    return 0;
  }
  void discard() noexcept override { disk_.discarded = true; }
  [[nodiscard]] std::uint64_t volume() const noexcept override { return 1; }
  int sync_volume() override { return sync(); }

 private:
  FakeDisk& disk_;
};
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
