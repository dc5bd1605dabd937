// The disk threads: every stream full, every take drained, whoever comes and goes.
#include "server/media/disk_pool.hpp"

#include <doctest/doctest.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <future>
#include <thread>

#include "server/media/probe.hpp"
#include "tests/server/media/take_test.hpp"

using namespace continuo;
using namespace continuo::media;
using namespace continuo::media::test;

namespace {

std::string thread_name() {
  char name[16] = "";
  pthread_getname_np(pthread_self(), name, sizeof name);
  return name;
}

std::shared_ptr<StreamReader> stream(const StreamRequest& request) { return open_stream(request); }

}  // namespace

TEST_CASE("pool: a stream is primed, kept full while it is played, and released") {
  TempDir dir;
  write_ints(dir / "a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 2, 48000, noise_ints(200'000, 2, 16));
  const std::vector<float> expected = reference(dir / "a.wav");
  DiskPool pool;
  std::promise<std::string> primed;
  auto reader = stream({.file = dir / "a.wav", .ring_seconds = 0.2});
  pool.add(reader, [&] { primed.set_value(thread_name()); });
  CHECK(primed.get_future().get() == "continuo-read");
  CHECK(reader->primed());
  std::vector<float> played;
  std::vector<float> block(128);
  while (played.size() < expected.size()) {
    const std::size_t n = reader->source().frames.read(block);
    if (n == 0) std::this_thread::yield();
    played.insert(played.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(n));
  }
  CHECK(played == expected);
  std::weak_ptr<StreamReader> watch = reader;
  pool.release(reader);
  reader.reset();
  while (!watch.expired()) std::this_thread::yield();  // ends by the test's time limit, or because it is gone
}

TEST_CASE("pool: many streams at once, most of them of a foreign rate, some gone before they are primed") {
  TempDir dir;
  write_ints(dir / "a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 2, 44100, noise_ints(100'000, 2, 16));
  DiskPool pool;
  std::atomic<int> primed{0};
  std::vector<std::shared_ptr<StreamReader>> readers;
  for (int i = 0; i < 64; ++i) {
    readers.push_back(stream({.file = dir / "a.wav",
                              .engine_rate_hz = i % 4 == 0 ? 44100.0 : 48000.0,
                              .first_frame = i * 100,
                              .ring_seconds = 0.1}));
    pool.add(readers.back(), [&] { ++primed; });
  }
  while (primed.load() < 64) std::this_thread::yield();
  for (int i = 0; i < 64; ++i) {
    auto extra = stream({.file = dir / "a.wav"});
    pool.add(extra, [] {});
    pool.release(extra);
    pool.release(readers[static_cast<std::size_t>(i)]);
  }
  pool.release(readers[0]);  // twice is once
  CHECK(primed.load() == 64);
}

TEST_CASE("pool: takes are drained until they are finished, several share a volume's flush") {
  TempDir dir;
  DiskPool pool;
  constexpr int kTakes = 8;
  constexpr std::int64_t kFrames = 50'000;
  const std::vector<float> samples = noise_floats(kFrames, 2);
  std::vector<std::shared_ptr<TakeWriter>> takes;
  std::vector<std::promise<TakeResult>> done(kTakes);
  std::atomic<bool> right_thread{true};
  for (int i = 0; i < kTakes; ++i) {
    auto opened = TakeWriter::open({.file = dir / ("take" + std::to_string(i) + ".wav"), .ring_seconds = 0.05});
    REQUIRE(opened);
    takes.push_back(std::move(*opened));
    pool.add(takes.back(), [&, i](TakeResult result) {
      if (thread_name() != "continuo-write") right_thread = false;
      done[static_cast<std::size_t>(i)].set_value(std::move(result));
    });
  }
  std::vector<std::thread> pushers;
  for (auto& take : takes) {
    pushers.emplace_back([&samples, sink = &take->sink()] {
      for (std::size_t at = 0; at < samples.size();) {
        const std::size_t room = sink->frames.space() / 2 * 2;
        const std::size_t n = std::min({room, samples.size() - at, std::size_t{128}});
        if (n == 0) std::this_thread::yield();
        sink->frames.write({samples.data() + at, n});
        at += n;
        sink->frames_taken.store(static_cast<rt::FrameCount>(at / 2), std::memory_order_release);
      }
      sink->finished.store(true, std::memory_order_release);
    });
  }
  for (auto& pusher : pushers) pusher.join();
  for (auto& promise : done) {
    const TakeResult result = promise.get_future().get();
    CHECK(result.error.empty());
    CHECK(result.frames == kFrames);
    CHECK(reference(result.file) == samples);
  }
  CHECK(right_thread);
}

TEST_CASE("pool: one flush a volume and second, however many takes there are") {
  TempDir dir;
  const auto faults = std::make_shared<Faults>();
  faults->free = 12'345'678;
  DiskPool pool;
  const std::vector<float> samples = noise_floats(480, 2);
  std::vector<std::shared_ptr<TakeWriter>> takes;
  std::vector<std::promise<TakeResult>> done(32);
  const auto begun = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < done.size(); ++i) {
    auto opened = TakeWriter::open({.file = dir / ("take" + std::to_string(i) + ".wav"), .make = faulty_files(faults)});
    REQUIRE(opened);
    takes.push_back(std::move(*opened));
    pool.add(takes.back(), [&, i](TakeResult result) { done[i].set_value(std::move(result)); });
  }
  for (int seen = 0; seen < 3; seen = faults->syncs) {
    for (const auto& take : takes) push(take->sink(), samples, 0, 480);
    faults->syncs.wait(seen);
  }
  const int syncs = faults->syncs;
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begun;
  CHECK(syncs <= passed.count() / 0.98 + 1.0);
  const auto free = pool.free_bytes();
  REQUIRE(free.size() == 1);
  CHECK(free.begin()->second == 12'345'678);
  for (const auto& take : takes) finish(take->sink());
  for (auto& promise : done) {
    const TakeResult result = promise.get_future().get();
    CHECK(result.error.empty());
    CHECK(result.frames >= 3 * 480);
  }
  CHECK(faults->syncs <= syncs + 1);  // what closes a file is its own sync
}

TEST_CASE("pool: a take that its disk ends is told at once, and again when the audio thread has let go") {
  TempDir dir;
  const auto faults = std::make_shared<Faults>();
  DiskPool pool;
  auto opened = TakeWriter::open({.file = dir / "a.wav", .make = faulty_files(faults)});
  REQUIRE(opened);
  const std::shared_ptr<TakeWriter> take = std::move(*opened);
  faults->fail_write = EIO;
  std::promise<TakeResult> failed, done;
  std::atomic<int> calls{0};
  pool.add(
      take, [&](TakeResult result) { done.set_value(std::move(result)); },
      [&](TakeResult result) {
        ++calls;
        failed.set_value(std::move(result));
      });
  push(take->sink(), noise_floats(100, 2), 0, 100);
  const TakeResult result = failed.get_future().get();
  CHECK(result.frames == 0);
  CHECK_FALSE(result.error.empty());
  CHECK(fs::exists(dir / "a.wav"));
  push(take->sink(), noise_floats(100, 2), 0, 100);
  finish(take->sink());
  CHECK(done.get_future().get().error == result.error);
  CHECK(calls == 1);
}

TEST_CASE("pool: posted work is done in order, on a thread of its own, while streams go on") {
  DiskPool pool;
  std::vector<int> order;
  std::promise<std::string> last;
  for (int i = 0; i < 1000; ++i) pool.post([&order, i] { order.push_back(i); });
  pool.post([&] { last.set_value(thread_name()); });
  CHECK(last.get_future().get() == "continuo-open");
  REQUIRE(order.size() == 1000);
  for (int i = 0; i < 1000; ++i) CHECK(order[static_cast<std::size_t>(i)] == i);

  // Stuck work (a folder on a dead server) holds up no stream and no take.
  TempDir dir;
  write_ints(dir / "a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 2, 48000, noise_ints(100'000, 2, 16));
  std::promise<void> stuck;
  pool.post([future = stuck.get_future().share()] { future.wait(); });
  std::promise<void> primed;
  pool.add(stream({.file = dir / "a.wav"}), [&] { primed.set_value(); });
  primed.get_future().wait();
  stuck.set_value();
}

TEST_CASE("pool: its end closes the takes that are still inside, and calls nobody") {
  TempDir dir;
  write_ints(dir / "a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 2, 48000, noise_ints(100'000, 2, 16));
  const std::vector<float> samples = noise_floats(1000, 2);
  std::atomic<int> called{0};
  {
    DiskPool pool;
    for (int i = 0; i < 3; ++i) {
      auto opened = TakeWriter::open({.file = dir / ("take" + std::to_string(i) + ".wav")});
      REQUIRE(opened);
      (*opened)->sink().frames.write(samples);
      (*opened)->sink().frames_taken.store(1000);
      pool.add(std::shared_ptr<TakeWriter>(std::move(*opened)), [&](TakeResult) { ++called; });
    }
    pool.add(stream({.file = dir / "a.wav", .loop = true}), [] {});
  }
  CHECK(called == 0);
  for (int i = 0; i < 3; ++i) CHECK(reference(dir / ("take" + std::to_string(i) + ".wav")) == samples);
}

TEST_CASE("pool: made and unmade at once") {
  for (int i = 0; i < 200; ++i) {
    DiskPool pool;
    if (i % 2 == 0) pool.post([] {});
  }
}

TEST_CASE("disk pool: what is left for later is done in order, and all of it before the pool goes") {
  std::vector<int> done;
  {
    Gate gate;
    std::atomic<bool> opened{false};
    DiskPool pool;  // goes first: its threads use both
    gate.close();
    pool.post_later([&] { gate.pass(); });
    gate.wait_for_one();
    for (int i = 0; i < 100; ++i) pool.post_later([&done, i] { done.push_back(i); });
    pool.post([&] {
      opened = true;
      opened.notify_all();
    });
    opened.wait(false);  // what players wait for is not behind it
    CHECK(done.empty());
    gate.open();
  }
  REQUIRE(done.size() == 100);
  for (int i = 0; i < 100; ++i) CHECK(done[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("disk pool: what was left for later while its thread was busy is done though the pool goes at once") {
  for (int round = 0; round < 200; ++round) {
    std::atomic<bool> busy{false};
    bool done = false;
    {
      DiskPool pool;
      pool.post_later([&] {
        busy = true;
        busy.notify_all();
        for (int i = 0; i < 200; ++i) std::this_thread::yield();  // the pool's end most often falls in here
      });
      busy.wait(false);
      pool.post_later([&done] { done = true; });
    }
    REQUIRE(done);
  }
}

TEST_CASE("disk pool: takes in parts of a few milliseconds, closed beside the writing, join to the sample") {
  TempDir dir;
  const std::vector<float> samples = noise_floats(4800, 2);
  std::vector<std::shared_ptr<TakeWriter>> takes;
  std::atomic<int> closed{0};
  std::vector<TakeResult> results(4);
  {
    DiskPool pool;
    for (std::size_t i = 0; i < results.size(); ++i) {
      auto opened =
          TakeWriter::open({.file = dir / ("t" + std::to_string(i) + (i % 2 == 0 ? ".wav" : ".flac")),
                            .format = SampleFormat::pcm24,
                            .container = i % 2 == 0 ? Container::wav : Container::flac,
                            .part_frames = 997,
                            .later = [&pool](std::function<void()> work) { pool.post_later(std::move(work)); }});
      REQUIRE(opened);
      takes.push_back(std::move(*opened));
      pool.add(takes.back(), [&, i](const TakeResult& result) {
        results[i] = result;
        ++closed;
        closed.notify_all();
      });
    }
    for (int round = 0; round < 10; ++round) {
      for (const auto& take : takes) push(take->sink(), samples, 0, 4800);
    }
    for (const auto& take : takes) finish(take->sink());
    for (int seen = closed; seen < 4; seen = closed) closed.wait(seen);
  }
  for (const TakeResult& result : results) {
    CHECK(result.error.empty());
    CHECK(result.frames == 48'000);
    REQUIRE(result.files.size() == 49);
    std::vector<float> all;
    for (const fs::path& file : result.files) {
      const auto one = read_all(file);
      all.insert(all.end(), one.begin(), one.end());
    }
    std::vector<std::byte> got, wanted;
    encode_samples(SampleFormat::pcm24, all, got);
    for (int round = 0; round < 10; ++round) encode_samples(SampleFormat::pcm24, samples, wanted);
    CHECK(got == wanted);
  }
}
