// THREAD: test - the disk side of a source and of a sink, by hand
#pragma once

#include <memory>
#include <vector>

#include "rt/sink.hpp"
#include "rt/source.hpp"
#include "tests/support/rig.hpp"

namespace continuo::test {

/// A source whose item frame i of channel c is probe(i, c).
struct FakeReader {
  FakeReader(std::uint32_t channels, std::size_t ring_samples, rt::FrameCount first = 0,
             rt::FrameCount length = rt::kEndless)
      : next(first) {
    auto [w, r] = rt::make_ring<float>(ring_samples);
    writer = std::move(w);
    source.frames = std::move(r);
    source.channels = channels;
    source.length = length;
    source.audio_.position = first;
  }
  /// Writes what fits, at most `frames` frames, never past the item's end; returns how many.
  rt::FrameCount fill(rt::FrameCount frames = rt::kEndless) {
    rt::FrameCount done = 0;
    std::vector<float> frame(source.channels);
    for (; done < frames && next < source.length && writer.space() >= source.channels; ++done, ++next) {
      for (std::uint32_t c = 0; c < source.channels; ++c) frame[c] = probe(next, c);
      if (writer.write(frame) != frame.size()) std::abort();
    }
    return done;
  }
  rt::Source source;
  rt::RingWriter<float> writer;
  rt::FrameCount next;
};

/// Drains a sink as the disk does: gaps become silence, the take has the length that the audio thread published.
struct FakeWriter {
  explicit FakeWriter(std::uint32_t channels, std::size_t ring_samples = 1 << 20, std::size_t gap_count = 64,
                      rt::FrameCount limit = rt::kEndless)
      : take(channels) {
    auto [w, r] = rt::make_ring<float>(ring_samples);
    auto [gw, gr] = rt::make_ring<rt::Gap>(gap_count);
    sink.frames = std::move(w);
    sink.gaps = std::move(gw);
    sink.channels = channels;
    sink.limit = limit;
    frames = std::move(r);
    gaps = std::move(gr);
  }
  /// The samples first: a gap that lies before one of them is then already in the gap ring.
  void drain(std::size_t most_frames = SIZE_MAX) {
    const std::size_t ready = std::min(frames.available() / sink.channels, most_frames);
    std::vector<float> frame(sink.channels);
    for (std::size_t i = 0; i < ready; ++i) {
      while (const rt::Gap* gap = gaps.peek()) {
        if (gap->at != length()) break;
        close_gap();
      }
      if (frames.read(frame) != frame.size()) std::abort();
      for (std::size_t c = 0; c < take.size(); ++c) take[c].push_back(frame[c]);
    }
    if (!sink.finished.load()) return;
    if (frames.available() != 0) return;
    while (gaps.peek() != nullptr) close_gap();
    for (auto& c : take) c.resize(static_cast<std::size_t>(sink.frames_taken.load()), 0.0f);
  }
  rt::FrameCount length() const { return static_cast<rt::FrameCount>(take[0].size()); }

  rt::Sink sink;
  rt::RingReader<float> frames;
  rt::RingReader<rt::Gap> gaps;
  Channels take;
  std::vector<rt::Gap> seen;

 private:
  void close_gap() {
    rt::Gap gap;
    if (!gaps.try_pop(gap) || gap.at != length()) std::abort();
    seen.push_back(gap);
    for (auto& c : take) c.resize(c.size() + static_cast<std::size_t>(gap.length), 0.0f);
  }
};

}  // namespace continuo::test
