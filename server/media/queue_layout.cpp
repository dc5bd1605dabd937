#include "server/media/queue_layout.hpp"

#include <algorithm>
#include <cmath>

#include "server/media/resample.hpp"

namespace continuo::media {
namespace {

[[nodiscard]] rt::FrameCount crossfade_of(const Segment& segment, std::uint32_t rate_hz) {
  return std::llround(segment.crossfade_ms * rate_hz / 1000.0);
}

}  // namespace

QueueLayout::QueueLayout(const std::vector<Segment>& segments, double engine_rate_hz, bool loop)
    : rate_hz_(rounded_rate(engine_rate_hz)) {
  const std::size_t count = segments.size();
  for (const Segment& segment : segments) {
    endless_.push_back(segment.loops == 0);
    endless_item_ = endless_item_ || segment.loops == 0;
    file_frames_.push_back(segment.frames());
    rates_hz_.push_back(segment.sample_rate_hz);
  }
  for (std::size_t i = 0; i < count;) {
    Run run{.first = i};
    std::int64_t file_frames = 0;
    std::vector<rt::FrameCount> places;  // of its items
    do {
      places.push_back(scale_frames(file_frames, rates_hz_[i], rate_hz_));
      file_frames += file_frames_[i];
      ++run.count;
      ++i;
    } while (i < count && rates_hz_[i] == rates_hz_[i - 1] && crossfade_of(segments[i], rate_hz_) == 0);
    run.frames = scale_frames(file_frames, rates_hz_[run.first], rate_hz_);
    places.push_back(run.frames);
    for (std::size_t k = 0; k < run.count; ++k) frames_.push_back(places[k + 1] - places[k]);
    if (!runs_.empty()) {
      const Run& before = runs_.back();
      const rt::FrameCount left = frames_[run.first - 1] - (before.count == 1 ? before.overlap : 0);
      run.overlap = std::min({crossfade_of(segments[run.first], rate_hz_), left, frames_[run.first]});
      run.begin = before.end() - run.overlap;
    }
    for (std::size_t k = 0; k < run.count; ++k) begins_.push_back(run.begin + places[k]);
    runs_.push_back(run);
  }
  length_ = runs_.empty() ? 0 : runs_.back().end();
  if (loop && length_ > 0) close_loop(segments);
}

void QueueLayout::close_loop(const std::vector<Segment>& segments) {
  Run first = runs_.front();
  const Run last = runs_.back();
  const rt::FrameCount wanted = crossfade_of(segments.front(), rate_hz_);
  if (wanted == 0 && rates_hz_.front() == rates_hz_.back()) {
    if (runs_.size() == 1) {
      runs_.front().endless = loops_ = true;
      return;
    }
    // The last run goes on with the first one's segments.
    std::int64_t file_frames = 0;
    for (std::size_t i = last.first; i < last.first + last.count; ++i) file_frames += file_frames_[i];
    for (std::size_t i = 0; i < first.count; ++i) file_frames += file_frames_[i];
    runs_.back().count += first.count;
    runs_.back().frames = scale_frames(file_frames, rates_hz_.front(), rate_hz_);
    period_ = runs_.back().end() - runs_[1].overlap - runs_[1].begin;
    loops_ = period_ > 0;
    return;
  }
  const bool alone = runs_.size() == 1;
  rt::FrameCount left = frames_.back() - (last.count == 1 ? last.overlap : 0);
  rt::FrameCount mine = frames_.front() - (first.count == 1 && !alone ? runs_[1].overlap : 0);
  if (alone && first.count == 1) left = mine = frames_.front() / 2;
  first.overlap = std::min({wanted, left, mine});
  if (length_ == first.overlap) return;
  first.begin = length_ - first.overlap;
  length_ -= first.overlap;
  runs_.push_back(first);
  period_ = length_;
  loops_ = true;
}

Run QueueLayout::run(std::size_t number) const {
  if (number < runs_.size()) return runs_[number];
  const std::size_t cycle = runs_.size() - 1;
  Run run = runs_[1 + (number - 1) % cycle];
  run.begin += static_cast<rt::FrameCount>((number - 1) / cycle) * period_;
  return run;
}

std::size_t QueueLayout::run_at(rt::FrameCount frame) const {
  std::size_t rounds = 0;
  if (period_ > 0 && frame >= runs_[1].begin) {
    rounds = static_cast<std::size_t>((frame - runs_[1].begin) / period_);
    frame -= static_cast<rt::FrameCount>(rounds) * period_;
  }
  std::size_t number = runs_.size() - 1;
  while (number > 0 && runs_[number].begin > frame) --number;
  return number + rounds * (runs_.size() - 1);
}

rt::PlayTable QueueLayout::table() const {
  rt::PlayTable table;
  table.count = static_cast<std::uint32_t>(begins_.size());
  table.length = endless_item_ ? rt::kEndless : length_;
  table.end = length_;
  const auto row = [&](std::size_t i, rt::FrameCount begin) {
    return rt::PlayTable::Row{.begin = begin,
                              .frames = endless_[i] ? rt::kEndless : frames_[i],
                              .before = begins_[i],
                              .number = static_cast<std::uint32_t>(i) + 1};
  };
  if (!loops_) {
    for (std::size_t i = 0; i < begins_.size(); ++i) table.first.push_back(row(i, begins_[i]));
    return table;
  }
  if (period_ == 0) {  // one converter for ever: the rounds lie on the file's frames
    for (std::size_t i = 0; i < begins_.size(); ++i) {
      table.again.push_back(row(i, table.cycle_frames));
      table.cycle_frames += file_frames_[i];
    }
    table.from_hz = rates_hz_.front();
    table.to_hz = rate_hz_;
    return table;
  }
  for (std::size_t i = 0; i < runs_.front().count; ++i) table.first.push_back(row(i, begins_[i]));
  table.cycle_begin = runs_[1].begin;
  table.cycle_frames = period_;
  for (std::size_t number = 1; number < runs_.size(); ++number) {
    std::int64_t file_frames = 0;
    for (std::size_t k = 0; k < runs_[number].count; ++k) {
      const std::size_t i = (runs_[number].first + k) % begins_.size();
      table.again.push_back(
          row(i, runs_[number].begin - table.cycle_begin + scale_frames(file_frames, rates_hz_[i], rate_hz_)));
      file_frames += file_frames_[i];
    }
  }
  // An item that a fade swallows whole can come to lie, by a rounded frame, behind the next one: nobody hears it begin.
  std::erase_if(table.first, [&](const rt::PlayTable::Row& one) { return one.begin >= table.cycle_begin; });
  std::erase_if(table.again, [&](const rt::PlayTable::Row& one) { return one.begin >= table.cycle_frames; });
  return table;
}

}  // namespace continuo::media
